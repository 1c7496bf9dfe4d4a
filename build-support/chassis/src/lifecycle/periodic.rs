//! The rhythm of a periodic task: at once while work remains, else by timer or wake-up, backing off on errors.

use std::fmt::Display;
use std::time::{Duration, Instant};

use tracing::Instrument as _;

use super::{Lifecycle, Wake};
use crate::Ids;

const JITTER_PERCENT: u32 = 10;
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// Past this a run is taken for hung: a peer that vanished without a word never answers.
const RUN_MAX: Duration = Duration::from_mins(2);

pub(super) struct Rhythm {
    name: &'static str,
    interval: Duration,
    run_max: Duration,
    wake: Wake,
    ids: Ids,
}

impl Rhythm {
    pub(super) fn new(name: &'static str, interval: Duration, wake: Wake, ids: Ids) -> Rhythm {
        Rhythm { name, interval, run_max: RUN_MAX, wake, ids }
    }

    pub(super) async fn keep<F, Run, E>(self, life: &Lifecycle, task: F)
    where
        F: Fn() -> Run,
        Run: Future<Output = Result<usize, E>>,
        E: Display,
    {
        let mut failures: u32 = 0;
        while !life.is_draining() {
            match self.run_once(&task).await {
                Some(0) => {
                    failures = 0;
                    self.rest(life).await;
                }
                // More may wait; others get their turn first.
                Some(_) => {
                    failures = 0;
                    tokio::task::yield_now().await;
                }
                None => {
                    self.back_off(life, failures).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    /// How much was done, or `None` where it failed, which is logged here.
    async fn run_once<F, Run, E>(&self, task: &F) -> Option<usize>
    where
        F: Fn() -> Run,
        Run: Future<Output = Result<usize, E>>,
        E: Display,
    {
        let begun = Instant::now();
        let span = tracing::info_span!("task", otel.name = self.name, task = self.name);
        let run = tokio::time::timeout(self.run_max, task().instrument(span.clone())).await;
        let (done, outcome) = match run {
            Ok(Ok(done)) => (Some(done), "ok"),
            Ok(Err(error)) => {
                span.in_scope(|| tracing::warn!(%error, "a periodic task failed and will be repeated"));
                (None, "error")
            }
            Err(_) => {
                span.in_scope(|| tracing::warn!("a periodic task hung, was dropped and will be repeated"));
                (None, "hung")
            }
        };
        metrics::histogram!("platform_task_run_seconds", "task" => self.name, "outcome" => outcome)
            .record(begun.elapsed().as_secs_f64());
        done
    }

    async fn rest(&self, life: &Lifecycle) {
        tokio::select! {
            () = life.requested() => {}
            () = self.wake.notified() => {}
            () = tokio::time::sleep(self.ids.jitter(self.interval, JITTER_PERCENT)) => {}
        }
    }

    async fn back_off(&self, life: &Lifecycle, failures: u32) {
        tokio::select! {
            () = life.requested() => {}
            () = tokio::time::sleep(self.ids.jitter(pause_after(failures), JITTER_PERCENT)) => {}
        }
    }
}

/// How long to leave a task alone that failed after `failures` failures in a row.
fn pause_after(failures: u32) -> Duration {
    BACK_OFF_FIRST.saturating_mul(1 << failures.min(10)).min(BACK_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_failing_task_is_tried_again_ever_more_slowly() {
        let pauses: Vec<u64> = (0..7).map(|failures| pause_after(failures).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause_after(u32::MAX), BACK_OFF_MAX);
    }

    #[tokio::test]
    async fn a_run_that_hangs_is_dropped_and_counts_as_failed() {
        let rhythm = Rhythm::new("hanging", Duration::ZERO, Wake::new(), Ids::seeded(1));
        let rhythm = Rhythm { run_max: Duration::from_millis(10), ..rhythm };
        let done = rhythm.run_once(&std::future::pending::<Result<usize, Infallible>>).await;
        assert_eq!(done, None);
    }

    #[tokio::test]
    async fn the_end_cuts_a_pause_short_and_no_run() {
        let life = Lifecycle::new();
        let rhythm = Rhythm::new("ending", Duration::from_hours(1), Wake::new(), Ids::seeded(1));
        let ending = life.clone();
        rhythm
            .keep(&life, || async {
                ending.shutdown();
                tokio::task::yield_now().await;
                Err::<usize, _>("and it failed")
            })
            .await;
    }
}
