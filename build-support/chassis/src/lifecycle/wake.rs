//! A hint that work waits: it may come too often or get lost with the process, so a timer backs it up.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes a periodic task; clones wake the same one.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// A hint that nobody has given yet.
    pub fn new() -> Wake {
        Wake::default()
    }

    /// Says that work waits. Given while the task runs, it makes it run once more.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Returns when the hint was given since the last time.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}
