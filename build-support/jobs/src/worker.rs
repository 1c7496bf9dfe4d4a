//! A worker: claims what is due, runs the handler within its bounds, writes the verdict under the fence.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use chassis::{Clock, Ids, db};
use futures::FutureExt as _;
use futures::future::join_all;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use tracing::Instrument as _;

use crate::job::{Job, Settled, Verdict};
use crate::queue::Queue;
use crate::store;

const JITTER_PERCENT: u32 = 10;

/// Pauses before a verdict that could not be written is tried again: the effect took place, and a short
/// hiccup of the database should not repeat it.
const SETTLE_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// What a queue's jobs mean.
pub trait Handler: Send + Sync {
    /// Does the work, within the queue's timeout; past it the run is dropped and counts as a failure. May
    /// run again for the same job: effects are deduped by its id.
    fn run(&self, job: &Job) -> impl Future<Output = Verdict> + Send;

    /// Writes what goes with the verdict, in the transaction that writes it, and only if it is written.
    fn settle(
        &self,
        _tx: &DatabaseTransaction,
        _job: &Job,
        _settled: &Settled,
    ) -> impl Future<Output = Result<(), DbErr>> + Send {
        async { Ok(()) }
    }
}

/// Runs the jobs of one queue. Any number of workers, in any number of processes, may share it.
pub struct Worker<H> {
    database: DatabaseConnection,
    queue: Queue,
    handler: H,
    clock: Clock,
    ids: Ids,
}

impl<H: Handler> Worker<H> {
    /// A worker that does nothing until it is asked to.
    pub fn new(database: DatabaseConnection, queue: Queue, handler: H, clock: Clock, ids: Ids) -> Worker<H> {
        Worker { database, queue, handler, clock, ids }
    }

    /// Claims one batch of due jobs and runs them at once; how many. Takes at most the queue's timeout and
    /// the time to write. An error means that a claim or a verdict could not be written: such a job is
    /// taken up again when its lease ends.
    pub async fn run_once(&self) -> Result<usize, DbErr> {
        let jobs = store::claim(&self.database, &self.queue, self.clock.now(), self.queue.batch).await?;
        let runs = jobs.iter().map(|job| {
            let span = tracing::info_span!("job", otel.name = self.queue.name, queue = self.queue.name, job = %job.id);
            self.process(job).instrument(span)
        });
        join_all(runs).await.into_iter().collect::<Result<(), DbErr>>()?;
        Ok(jobs.len())
    }

    async fn process(&self, job: &Job) -> Result<(), DbErr> {
        let begun = Instant::now();
        let verdict = if self.queue.is_overdrawn(job.attempt) {
            Verdict::Dead { reason: "its workers ended without a verdict too often".to_owned() }
        } else {
            self.run(job).await
        };
        let settled = self.judge(job, verdict);
        let outcome = if self.write(job, &settled).await? { outcome(&settled) } else { "stale" };
        metrics::histogram!("platform_job_run_seconds", "queue" => self.queue.name)
            .record(begun.elapsed().as_secs_f64());
        metrics::counter!("platform_jobs_total", "queue" => self.queue.name, "outcome" => outcome)
            .increment(1);
        log(job, &settled, outcome);
        Ok(())
    }

    async fn run(&self, job: &Job) -> Verdict {
        let run = AssertUnwindSafe(self.handler.run(job)).catch_unwind();
        match tokio::time::timeout(self.queue.timeout, run).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Verdict::Retry { reason: "the handler panicked".to_owned() },
            Err(_) => Verdict::Retry { reason: "the handler took too long".to_owned() },
        }
    }

    /// Lets the schedule have its say.
    fn judge(&self, job: &Job, verdict: Verdict) -> Settled {
        let pause = self.queue.pause_after(job.attempt);
        match (verdict, pause) {
            (Verdict::Done, _) => Settled::Done,
            (Verdict::Retry { reason }, Some(pause)) => {
                Settled::Retry { at: self.clock.now() + self.ids.jitter(pause, JITTER_PERCENT), reason }
            }
            (Verdict::RetryAt { at, reason }, Some(_)) => Settled::Retry { at, reason },
            (Verdict::Retry { reason } | Verdict::RetryAt { reason, .. }, None)
            | (Verdict::Dead { reason }, _) => Settled::Dead { reason },
        }
    }

    /// Whether the verdict was written: not where another worker has claimed the job since.
    async fn write(&self, job: &Job, settled: &Settled) -> Result<bool, DbErr> {
        for pause in SETTLE_PAUSES {
            match self.write_once(job, settled).await {
                Ok(written) => return Ok(written),
                Err(error) => {
                    tracing::warn!(%error, "the verdict on a job could not be written and is tried again");
                }
            }
            tokio::time::sleep(pause).await;
        }
        self.write_once(job, settled).await
    }

    async fn write_once(&self, job: &Job, settled: &Settled) -> Result<bool, DbErr> {
        let transaction = db::begin(&self.database).await?;
        if !store::settle(&transaction, job, settled, self.clock.now()).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.handler.settle(&transaction, job, settled).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn outcome(settled: &Settled) -> &'static str {
    match settled {
        Settled::Done => "done",
        Settled::Retry { .. } => "retry",
        Settled::Dead { .. } => "dead",
    }
}

fn log(job: &Job, settled: &Settled, outcome: &'static str) {
    let attempt = job.attempt;
    match settled {
        _ if outcome == "stale" => {
            tracing::warn!(attempt, "a job was taken over before its verdict, which is dropped");
        }
        Settled::Done => tracing::debug!(attempt, "a job is done"),
        Settled::Retry { at, reason } => {
            tracing::info!(attempt, %at, reason, "a job failed and will be tried again");
        }
        Settled::Dead { reason } => tracing::error!(attempt, reason, "a job is dead"),
    }
}
