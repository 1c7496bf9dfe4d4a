//! A service with a queue, a clock to move and a handler that does as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::db::{self, DbConfig};
use chassis::{Clock, Ids};
use jobs::{Counts, Exhausted, Handler, Job, Migration, NewJob, Queue, Settled, Verdict, Worker};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, Statement};
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};
use testkit::Database;
use tokio::sync::Semaphore;

pub(crate) const PAUSES: &[Duration] = &[Duration::from_mins(1), Duration::from_mins(5)];
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const QUEUE: Queue =
    Queue::new("mail", TIMEOUT).lease(LEASE).schedule(PAUSES, Exhausted::Dead).batch(5);

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Migration)]
    }
}

/// One service; several workers may be made for it.
pub(crate) struct World {
    pub(crate) kind: &'static str,
    pub(crate) database: DatabaseConnection,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    _storage: Database,
}

impl World {
    /// A world on each database.
    pub(crate) async fn all() -> Vec<World> {
        let mut worlds = Vec::new();
        for (kind, storage) in testkit::databases() {
            let config = DbConfig::new(storage.to_string().into(), "jobs");
            let database = db::connect(&config).await.unwrap();
            db::migrate::<Migrator>(&database).await.unwrap();
            database
                .execute_unprepared("CREATE TABLE note (job TEXT NOT NULL, fence BIGINT NOT NULL)")
                .await
                .unwrap();
            let clock = Clock::manual(Clock::system().now());
            worlds.push(World { kind, database, clock, ids: Ids::random(), _storage: storage });
        }
        worlds
    }

    pub(crate) fn job(&self) -> NewJob {
        let now = self.clock.now();
        NewJob { id: self.ids.uuid(now), key: None, payload: serde_json::json!({ "to": "a" }), run_at: now }
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> bool {
        jobs::enqueue(&self.database, &QUEUE, job).await.unwrap()
    }

    pub(crate) fn worker(&self, script: &Script) -> Worker<Script> {
        Worker::new(self.database.clone(), QUEUE, script.clone(), self.clock.clone(), self.ids.clone())
    }

    /// A worker that grants a run hardly any time.
    pub(crate) fn impatient_worker(&self, script: &Script) -> Worker<Script> {
        let queue = Queue::new(QUEUE.name(), Duration::from_millis(20));
        Worker::new(self.database.clone(), queue, script.clone(), self.clock.clone(), self.ids.clone())
    }

    pub(crate) async fn counts(&self) -> Counts {
        jobs::counts(&self.database, &QUEUE, self.clock.now()).await.unwrap()
    }

    /// A number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let query = Statement::from_string(self.database.get_database_backend(), sql);
        self.database.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }
}

/// How a run goes.
#[derive(Clone)]
pub(crate) enum Act {
    Say(Verdict),
    Hang,
    Panic,
    /// Says that it has begun, and waits to be let go.
    Wait {
        begun: Arc<Semaphore>,
        go_on: Arc<Semaphore>,
    },
}

/// A handler that does as it is told, and remembers what it was asked; each settled job leaves a note.
#[derive(Clone)]
pub(crate) struct Script {
    act: Act,
    pub(crate) runs: Arc<Mutex<Vec<Job>>>,
}

impl Script {
    pub(crate) fn new(act: Act) -> Script {
        Script { act, runs: Arc::default() }
    }

    pub(crate) fn done() -> Script {
        Script::new(Act::Say(Verdict::Done))
    }

    pub(crate) fn failing() -> Script {
        Script::new(Act::Say(Verdict::Retry { reason: "451 not now".to_owned() }))
    }

    pub(crate) fn runs(&self) -> Vec<Job> {
        self.runs.lock().unwrap().clone()
    }
}

impl Handler for Script {
    async fn run(&self, job: &Job) -> Verdict {
        self.runs.lock().unwrap().push(job.clone());
        match &self.act {
            Act::Say(verdict) => verdict.clone(),
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("a defect"),
            Act::Wait { begun, go_on } => {
                begun.add_permits(1);
                go_on.acquire().await.unwrap().forget();
                Verdict::Done
            }
        }
    }

    async fn settle(&self, tx: &DatabaseTransaction, job: &Job, _settled: &Settled) -> Result<(), DbErr> {
        let note = format!("INSERT INTO note (job, fence) VALUES ('{}', {})", job.id, job.fence);
        tx.execute_unprepared(&note).await.map(|_| ())
    }
}
