//! A background task that ends with the value that stands for it.

use std::future::Future;

use tokio::task::JoinHandle;

/// Aborts its task when dropped.
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    #[expect(clippy::disallowed_methods, reason = "a test's peer ends by being dropped, not by a shutdown")]
    pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Task {
        Task(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
