//! What becomes of jobs.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jobs::{NewJob, Verdict};
use sea_orm::TransactionTrait as _;
use tokio::sync::Semaphore;

use crate::world::{Act, LEASE, PAUSES, QUEUE, Script, World};

#[tokio::test]
async fn a_job_runs_once_and_its_payload_is_forgotten() {
    for world in World::all().await {
        let job = world.job();
        assert!(world.enqueue(job.clone()).await);
        let script = Script::done();
        let worker = world.worker(&script);

        assert_eq!(worker.run_once().await.unwrap(), 1, "{}", world.kind);
        assert_eq!(worker.run_once().await.unwrap(), 0, "{}", world.kind);
        let runs = script.runs();
        assert_eq!((runs[0].id, runs[0].attempt, runs[0].fence), (job.id, 1, 1));
        assert_eq!(runs[0].payload, job.payload);
        assert_eq!(world.counts().await.done, 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM job WHERE payload IS NULL").await, 1, "{}", world.kind);
        assert_eq!(world.number("SELECT COUNT(*) FROM note").await, 1);
    }
}

#[tokio::test]
async fn a_second_job_of_the_same_id_or_key_is_not_stored() {
    for world in World::all().await {
        let first = NewJob { key: Some("welcome:7".to_owned()), ..world.job() };
        assert!(world.enqueue(first.clone()).await);
        assert!(!world.enqueue(first.clone()).await, "{}", world.kind);
        assert!(!world.enqueue(NewJob { id: world.job().id, ..first.clone() }).await, "{}", world.kind);

        world.worker(&Script::done()).run_once().await.unwrap();
        assert!(!world.enqueue(NewJob { id: world.job().id, ..first }).await, "a key outlives its job");
        assert!(world.enqueue(world.job()).await, "jobs without keys never collide");
    }
}

#[tokio::test]
async fn a_job_of_a_transaction_that_is_rolled_back_never_was() {
    for world in World::all().await {
        let transaction = world.database.begin().await.unwrap();
        jobs::enqueue(&transaction, &QUEUE, world.job()).await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(world.worker(&Script::done()).run_once().await.unwrap(), 0, "{}", world.kind);
    }
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    for world in World::all().await {
        let later = world.clock.now() + TimeDelta::minutes(5);
        world.enqueue(NewJob { run_at: later, ..world.job() }).await;
        let worker = world.worker(&Script::done());
        assert_eq!(worker.run_once().await.unwrap(), 0, "{}", world.kind);
        world.clock.advance(Duration::from_mins(5));
        assert_eq!(worker.run_once().await.unwrap(), 1, "{}", world.kind);
    }
}

#[tokio::test]
async fn a_failing_job_follows_the_schedule_and_then_is_dead() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        let script = Script::failing();
        let worker = world.worker(&script);
        for pause in PAUSES {
            assert_eq!(worker.run_once().await.unwrap(), 1, "{}", world.kind);
            world.clock.advance(*pause * 89 / 100);
            assert_eq!(worker.run_once().await.unwrap(), 0, "too early on {}", world.kind);
            world.clock.advance(*pause * 22 / 100);
        }
        assert_eq!(worker.run_once().await.unwrap(), 1, "{}", world.kind);
        let counts = world.counts().await;
        assert_eq!((counts.ready, counts.dead), (0, 1), "{}", world.kind);
        let attempts: Vec<u32> = script.runs().iter().map(|job| job.attempt).collect();
        assert_eq!(attempts, [1, 2, 3]);
        let told = "SELECT COUNT(*) FROM job WHERE last_error = '451 not now' AND payload IS NULL";
        assert_eq!(world.number(told).await, 1, "{}", world.kind);
    }
}

#[tokio::test]
async fn a_permanent_failure_is_not_tried_again() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        let script = Script::new(Act::Say(Verdict::Dead { reason: "x".repeat(2000) }));
        world.worker(&script).run_once().await.unwrap();
        assert_eq!(world.counts().await.dead, 1);
        assert_eq!(
            world.number("SELECT CAST(LENGTH(last_error) AS BIGINT) FROM job").await,
            500,
            "{}",
            world.kind
        );
    }
}

#[tokio::test]
async fn a_handler_that_knows_better_names_the_time() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        let at = world.clock.now() + TimeDelta::hours(3);
        let script = Script::new(Act::Say(Verdict::RetryAt { at, reason: "closed".to_owned() }));
        let worker = world.worker(&script);
        worker.run_once().await.unwrap();
        world.clock.set(at - TimeDelta::seconds(1));
        assert_eq!(worker.run_once().await.unwrap(), 0, "{}", world.kind);
        world.clock.set(at);
        assert_eq!(worker.run_once().await.unwrap(), 1, "{}", world.kind);
    }
}

#[tokio::test]
async fn a_run_that_hangs_or_panics_is_a_failed_run() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        assert_eq!(world.worker(&Script::new(Act::Panic)).run_once().await.unwrap(), 1, "{}", world.kind);
        world.enqueue(world.job()).await;
        assert_eq!(world.impatient_worker(&Script::new(Act::Hang)).run_once().await.unwrap(), 1);
        let counts = world.counts().await;
        assert_eq!((counts.ready, counts.running), (2, 0), "{}", world.kind);
    }
}

#[tokio::test]
async fn a_worker_that_outlived_its_lease_changes_nothing() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        let (begun, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let slow = Script::new(Act::Wait { begun: begun.clone(), go_on: go_on.clone() });
        let stale = world.worker(&slow);
        let quick = Script::done();
        let owner = world.worker(&quick);

        let story = async {
            begun.acquire().await.unwrap().forget();
            assert_eq!(owner.run_once().await.unwrap(), 0, "the lease holds on {}", world.kind);
            world.clock.advance(LEASE);
            assert_eq!(owner.run_once().await.unwrap(), 1, "the lease is over on {}", world.kind);
            go_on.add_permits(1);
        };
        let (outcome, ()) = tokio::join!(stale.run_once(), story);
        outcome.unwrap();

        assert_eq!(quick.runs()[0].attempt, 2);
        assert_eq!(
            world.number("SELECT fence FROM note").await,
            2,
            "only the owner settled on {}",
            world.kind
        );
        assert_eq!(world.counts().await.done, 1);
    }
}

#[tokio::test]
async fn a_job_whose_workers_keep_dying_is_dead_in_the_end() {
    for world in World::all().await {
        world.enqueue(world.job()).await;
        for _ in 0..=PAUSES.len() {
            let (begun, never) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
            let doomed = world.worker(&Script::new(Act::Wait { begun: begun.clone(), go_on: never }));
            // The first to finish is the proof that the job runs; dropping the other is the kill.
            tokio::select! {
                _ = doomed.run_once() => panic!("it waits for ever"),
                permit = begun.acquire() => permit.unwrap().forget(),
            }
            world.clock.advance(LEASE);
        }
        let script = Script::done();
        assert_eq!(world.worker(&script).run_once().await.unwrap(), 1, "{}", world.kind);
        assert!(script.runs().is_empty(), "it is not run again on {}", world.kind);
        assert_eq!(world.counts().await.dead, 1, "{}", world.kind);
    }
}

#[tokio::test]
async fn several_workers_share_a_queue_without_a_double() {
    const JOBS: usize = 60;
    for world in World::all().await {
        for _ in 0..JOBS {
            world.enqueue(world.job()).await;
        }
        let script = Script::done();
        let workers: Vec<_> = (0..4).map(|_| world.worker(&script)).collect();
        let drains = workers.iter().map(|worker| async { while worker.run_once().await.unwrap() > 0 {} });
        futures::future::join_all(drains).await;

        let mut ids: Vec<_> = script.runs().iter().map(|job| job.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), script.runs().len()), (JOBS, JOBS), "{}", world.kind);
        assert_eq!(world.counts().await.done, JOBS as u64);
    }
}

#[tokio::test]
async fn what_has_ended_is_purged_in_bounded_steps_and_what_waits_is_kept() {
    for world in World::all().await {
        for _ in 0..3 {
            world.enqueue(world.job()).await;
        }
        world.worker(&Script::done()).run_once().await.unwrap();
        world.enqueue(world.job()).await;
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(world.counts().await.lag, Duration::from_mins(1), "{}", world.kind);

        let now = world.clock.now();
        let old = now - TimeDelta::minutes(2);
        assert_eq!(jobs::purge_finished(&world.database, old, 10).await.unwrap(), 0);
        assert_eq!(jobs::purge_finished(&world.database, now, 2).await.unwrap(), 2, "{}", world.kind);
        assert_eq!(jobs::purge_finished(&world.database, now, 2).await.unwrap(), 1, "{}", world.kind);
        assert_eq!(world.counts().await.ready, 1);
    }
}
