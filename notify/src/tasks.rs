//! What starts without being asked. Each task is `run_once`: bounded, safe to repeat, called by a timer
//! or a wake-up.

mod compose;
mod deliver;
mod purge_jobs;
mod purge_keys;
mod watch_queue;

use std::sync::Arc;
use std::time::Duration;

use chassis::{Lifecycle, Wake};

pub use compose::Compositions;
pub use deliver::Deliveries;

use crate::app::App;

/// How many workers each process has: one that waits for a slow relay does not hold up the others.
const WORKERS: usize = 4;
/// How late a delivery may be where its wake-up was lost or another process took the event.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How many of each process put events into inboxes.
const COMPOSERS: usize = 2;
/// How late a notification may be where its wake-up was lost or another process took the event.
const COMPOSE_EVERY: Duration = Duration::from_secs(1);
/// How often the queues are measured.
const WATCH_EVERY: Duration = Duration::from_secs(15);
/// How often ended jobs are looked for.
const PURGE_EVERY: Duration = Duration::from_mins(10);

/// Starts all of them; they end with the process.
pub(crate) fn start(app: &App, life: &Lifecycle) {
    for _ in 0..WORKERS {
        let deliveries = Arc::new(Deliveries::new(app));
        life.every("deliveries", DELIVER_EVERY, app.wakes.deliveries.clone(), move || {
            let deliveries = deliveries.clone();
            async move { deliveries.run_once().await }
        });
    }
    for _ in 0..COMPOSERS {
        let compositions = Arc::new(Compositions::new(app));
        life.every("compositions", COMPOSE_EVERY, app.wakes.compositions.clone(), move || {
            let compositions = compositions.clone();
            async move { compositions.run_once().await }
        });
    }
    let watched = app.clone();
    life.every("queues", WATCH_EVERY, Wake::new(), move || watch_queue::run_once(watched.clone()));
    let purged = app.clone();
    life.every("ended jobs", PURGE_EVERY, Wake::new(), move || purge_jobs::run_once(purged.clone()));
    let purged = app.clone();
    life.every("old keys", PURGE_EVERY, Wake::new(), move || purge_keys::run_once(purged.clone()));
}
