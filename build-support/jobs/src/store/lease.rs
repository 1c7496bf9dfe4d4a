//! The lease as a state machine: workers claim, settle, die and come back late, clocks jump, and the
//! table must agree with a model that fits on a page.

use std::collections::HashMap;
use std::time::Duration;

use chassis::db::{self, DbConfig};
use chassis::{Clock, Ids};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use sea_orm::DatabaseConnection;
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};
use uuid::Uuid;

use super::{claim, counts, enqueue, settle};
use crate::{Exhausted, Job, Migration, NewJob, Queue, Settled};

const QUEUE: Queue = Queue::new("lease", Duration::from_secs(10))
    .lease(Duration::from_secs(20))
    .schedule(&[Duration::from_secs(5)], Exhausted::KeepTrying);
const WORKERS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Enqueue,
    /// A worker claims up to this many.
    Claim(usize, u64),
    /// A worker settles the oldest job it believes to hold.
    Settle(usize, Ending),
    /// A worker forgets all it holds.
    Die(usize),
    /// The clock goes on, or is set back.
    Clock(i64),
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Done,
    Retry,
    Dead,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = prop_oneof![Just(Ending::Done), Just(Ending::Retry), Just(Ending::Dead)];
    let step = prop_oneof![
        2 => Just(Step::Enqueue),
        4 => (0..WORKERS, 1..4_u64).prop_map(|(worker, limit)| Step::Claim(worker, limit)),
        4 => (0..WORKERS, ending).prop_map(|(worker, ending)| Step::Settle(worker, ending)),
        1 => (0..WORKERS).prop_map(Step::Die),
        3 => (-30..60_i64).prop_map(Step::Clock),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a row must say: its fence, and when it may be claimed; `None` once it has ended.
#[derive(Debug, Default)]
struct Expected {
    fence: i64,
    due: Option<DateTime<Utc>>,
}

struct World {
    database: DatabaseConnection,
    clock: Clock,
    ids: Ids,
    rows: HashMap<Uuid, Expected>,
    held: [Vec<Job>; WORKERS],
}

impl World {
    async fn new() -> World {
        let config = DbConfig::new("sqlite::memory:".to_owned().into(), "jobs");
        let database = db::connect(&config).await.unwrap();
        db::migrate::<Migrator>(&database).await.unwrap();
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        World { database, clock, ids: Ids::seeded(1), rows: HashMap::new(), held: Default::default() }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Enqueue => self.enqueue().await,
            Step::Claim(worker, limit) => self.claim(worker, limit).await,
            Step::Settle(worker, ending) => self.settle(worker, ending).await,
            Step::Die(worker) => self.held[worker].clear(),
            Step::Clock(seconds) => self.clock.set(self.clock.now() + TimeDelta::seconds(seconds)),
        }
    }

    async fn enqueue(&mut self) {
        let now = self.clock.now();
        let job = NewJob { id: self.ids.uuid(now), key: None, payload: 1.into(), run_at: now };
        self.rows.insert(job.id, Expected { fence: 0, due: Some(now) });
        assert!(enqueue(&self.database, &QUEUE, job).await.unwrap());
    }

    async fn claim(&mut self, worker: usize, limit: u64) {
        let now = self.clock.now();
        let due = self.rows.values().filter(|row| row.due.is_some_and(|due| due <= now)).count();
        let jobs = claim(&self.database, &QUEUE, now, limit).await.unwrap();
        assert_eq!(
            jobs.len(),
            due.min(usize::try_from(limit).unwrap()),
            "what is due is claimed, nothing else"
        );
        for job in jobs {
            let row = self.rows.get_mut(&job.id).expect("a job that was stored");
            assert!(row.due.is_some_and(|due| due <= now), "held by another, or ended");
            assert_eq!(job.fence, row.fence + 1, "each claim raises the fence");
            assert_eq!(i64::from(job.attempt), job.fence);
            *row = Expected { fence: job.fence, due: Some(now + QUEUE.lease) };
            self.held[worker].push(job);
        }
    }

    async fn settle(&mut self, worker: usize, ending: Ending) {
        if self.held[worker].is_empty() {
            return;
        }
        let job = self.held[worker].remove(0);
        let now = self.clock.now();
        let settled = match ending {
            Ending::Done => Settled::Done,
            Ending::Retry => Settled::Retry { at: now + Duration::from_secs(5), reason: "again".to_owned() },
            Ending::Dead => Settled::Dead { reason: "never".to_owned() },
        };
        let row = self.rows.get_mut(&job.id).expect("a job that was stored");
        let owner = row.fence == job.fence && row.due.is_some();
        assert_eq!(
            settle(&self.database, &job, &settled, now).await.unwrap(),
            owner,
            "only the last owner writes"
        );
        if owner {
            row.due = match settled {
                Settled::Retry { at, .. } => Some(at),
                Settled::Done | Settled::Dead { .. } => None,
            };
        }
    }

    /// Everybody dies, time goes by, one worker remains: every job must end.
    async fn drain(&mut self) {
        for worker in 0..WORKERS {
            self.held[worker].clear();
        }
        let last = self.rows.values().filter_map(|row| row.due).max().unwrap_or(self.clock.now());
        self.clock.set(last.max(self.clock.now()));
        self.claim(0, 1000).await;
        while !self.held[0].is_empty() {
            self.settle(0, Ending::Done).await;
        }
        let counts = counts(&self.database, &QUEUE, self.clock.now()).await.unwrap();
        assert_eq!((counts.ready, counts.running), (0, 0), "every job has ended");
        assert_eq!(usize::try_from(counts.done + counts.dead).unwrap(), self.rows.len(), "none was lost");
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Migration)]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_has_one_owner_and_ends_whatever_befalls_its_workers(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
            world.drain().await;
        });
    }
}
