//! From start to orderly end: the only place that spawns tasks, so that all of them can be waited for.
//!
//! An end is asked for by a signal, by the program, or by a task that panicked; then listeners stop,
//! what is in flight finishes, and [`Lifecycle::wait`] returns.

mod periodic;
mod wake;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use wake::Wake;

use crate::Ids;

/// The life of a process; clones are the same life.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    requested: CancellationToken,
    ended: CancellationToken,
    tasks: TaskTracker,
    panicked: Arc<OnceLock<&'static str>>,
    ids: Ids,
}

/// How an end can be less than orderly.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LifecycleError {
    /// A task panicked, which ended the process.
    #[error("the task `{task}` panicked")]
    Panicked {
        /// Its name.
        task: &'static str,
    },
    /// Tasks were still running when the time was up.
    #[error("{tasks} tasks did not end in time")]
    Unfinished {
        /// How many.
        tasks: usize,
    },
}

impl Default for Lifecycle {
    fn default() -> Self {
        Lifecycle::new()
    }
}

impl Lifecycle {
    /// A life that nobody has asked to end.
    pub fn new() -> Lifecycle {
        Lifecycle {
            requested: CancellationToken::new(),
            ended: CancellationToken::new(),
            tasks: TaskTracker::new(),
            panicked: Arc::default(),
            ids: Ids::random(),
        }
    }

    /// Lets SIGTERM and SIGINT ask for the end.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let life = self.clone();
        self.spawn("signals", async move {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("asked to end by SIGTERM"),
                _ = interrupt.recv() => tracing::info!("asked to end by SIGINT"),
                () = life.requested() => {}
            }
            life.shutdown();
        });
        Ok(())
    }

    /// Asks for the end; asking again changes nothing.
    pub fn shutdown(&self) {
        self.requested.cancel();
    }

    /// Returns once the end was asked for: the branch of a `select!` that stops accepting.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Whether the end was asked for: readiness is red, nothing new begins.
    pub fn is_draining(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Runs a task that the process cannot do without, inside the current span: where it panics, that is
    /// logged and the process ends in order. The end waits for it.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let life = self.clone();
        self.run(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task that must not fail panicked, the process ends");
                // Only the first one counts.
                let _ = life.panicked.set(name);
                life.shutdown();
            }
        })
    }

    /// Runs a task for one caller, such as a connection: where it panics, that caller loses it and the
    /// process goes on. The end waits for it.
    pub fn spawn_isolated(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        self.run(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                metrics::counter!("platform_task_panics_total", "task" => name).increment(1);
                tracing::error!(task = name, "a task panicked, its caller was cut off");
            }
        })
    }

    /// Runs a task that serves until the very end, such as the operations server: nobody waits for it, it
    /// is dropped when everything else is done.
    #[expect(clippy::disallowed_methods, reason = "this is the place that spawns")]
    pub fn spawn_until_end(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let ended = self.ended.clone();
        tokio::spawn(
            async move { ended.run_until_cancelled(task).await.unwrap_or_default() }.in_current_span(),
        )
    }

    /// Runs `task` again and again until the end is asked for: at once while it reports that it did
    /// something (more than 0), on a wake-up, and otherwise every `interval` (± 10 %). After an error it is
    /// left alone for 1 s, then longer, up to 30 s; a wake-up does not shorten that. A run longer than 2
    /// minutes is dropped and counts as an error.
    ///
    /// The task is bounded and safe to repeat; a run that has begun is not cut off by the end.
    pub fn every<F, Run, E>(&self, name: &'static str, interval: Duration, wake: Wake, task: F)
    where
        F: Fn() -> Run + Send + Sync + 'static,
        Run: Future<Output = Result<usize, E>> + Send,
        E: std::fmt::Display + Send,
    {
        let rhythm = periodic::Rhythm::new(name, interval, wake, self.ids.clone());
        let life = self.clone();
        self.spawn(name, async move { rhythm.keep(&life, task).await });
    }

    /// Waits until the end was asked for and every task has finished, the latter for at most `timeout`.
    pub async fn wait(&self, timeout: Duration) -> Result<(), LifecycleError> {
        self.requested().await;
        self.tasks.close();
        let finished = tokio::time::timeout(timeout, self.tasks.wait()).await.is_ok();
        self.ended.cancel();
        match (self.panicked.get(), finished) {
            (Some(task), _) => Err(LifecycleError::Panicked { task }),
            (None, false) => Err(LifecycleError::Unfinished { tasks: self.tasks.len() }),
            (None, true) => Ok(()),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that spawns")]
    fn run(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(self.tasks.track_future(task).in_current_span())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn the_end_waits_for_what_was_spawned() {
        let life = Lifecycle::new();
        let done = Arc::new(AtomicUsize::new(0));
        let (task_life, task_done) = (life.clone(), done.clone());
        life.spawn("worker", async move {
            task_life.requested().await;
            task_done.store(1, Ordering::SeqCst);
        });
        life.shutdown();
        assert!(life.is_draining());
        assert_eq!(life.wait(SOON).await, Ok(()));
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_panic_of_a_vital_task_ends_the_process_and_is_reported() {
        let life = Lifecycle::new();
        life.spawn("vital", async { panic!("a defect") });
        assert_eq!(life.wait(SOON).await, Err(LifecycleError::Panicked { task: "vital" }));
    }

    #[tokio::test]
    async fn a_panic_of_one_callers_task_leaves_the_others_alone() {
        let life = Lifecycle::new();
        life.spawn_isolated("connection", async { panic!("a defect") }).await.unwrap();
        assert!(!life.is_draining());
        life.shutdown();
        assert_eq!(life.wait(SOON).await, Ok(()));
    }

    #[tokio::test]
    async fn what_hangs_is_not_waited_for_for_ever() {
        let life = Lifecycle::new();
        life.spawn("stuck", std::future::pending());
        life.shutdown();
        assert_eq!(life.wait(Duration::from_millis(20)).await, Err(LifecycleError::Unfinished { tasks: 1 }));
    }

    #[tokio::test]
    async fn a_periodic_task_runs_while_work_remains_and_again_when_woken() {
        let life = Lifecycle::new();
        let (wake, runs) = (Wake::new(), Arc::new(AtomicUsize::new(0)));
        let (seen, mut runs_seen) = tokio::sync::watch::channel(0);
        let counted = runs.clone();
        life.every("drain", Duration::from_hours(1), wake.clone(), move || {
            let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
            seen.send_replace(run);
            async move { Ok::<usize, Infallible>(usize::from(run < 3)) }
        });
        runs_seen.wait_for(|run| *run == 3).await.unwrap();
        wake.notify();
        runs_seen.wait_for(|run| *run == 4).await.unwrap();
        life.shutdown();
        assert_eq!(life.wait(SOON).await, Ok(()));
    }
}
