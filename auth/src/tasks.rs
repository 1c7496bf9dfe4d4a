//! What starts without being asked: each task does a bounded bit of work when it is called, and may be
//! called again at any time.

mod publish_access;
mod relay_outbox;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use chassis::{Lifecycle, Wake};
use jobs::Worker;
use mesh::Channel;
use proto::notify::event_service_client::EventServiceClient;

use crate::app::Auth;
use crate::store::{OUTBOX, PUBLISH_ACCESS};

/// Starts every task.
pub(crate) fn start(auth: &Arc<Auth>, notify: EventServiceClient<Channel>, life: &Lifecycle) {
    let relay = worker(auth, OUTBOX, relay_outbox::RelayOutbox { notify });
    life.every("relay_outbox", Duration::from_secs(1), auth.wake_outbox.clone(), move || {
        let relay = Arc::clone(&relay);
        async move { relay.run_once().await }
    });
    let publish = worker(auth, PUBLISH_ACCESS, publish_access::PublishAccess { auth: Arc::clone(auth) });
    life.every("publish_access", Duration::from_secs(1), Wake::new(), move || {
        let publish = Arc::clone(&publish);
        async move { publish.run_once().await }
    });
    let keys = Arc::clone(auth);
    life.every("turn_keys", Duration::from_mins(1), Wake::new(), move || {
        let auth = Arc::clone(&keys);
        async move { auth.keys.turn().await }
    });
    let sweeper = Arc::clone(auth);
    life.every("sweep", Duration::from_mins(5), Wake::new(), move || {
        let auth = Arc::clone(&sweeper);
        async move { sweep::run_once(&auth).await }
    });
}

fn worker<H: jobs::Handler>(auth: &Arc<Auth>, queue: jobs::Queue, handler: H) -> Arc<Worker<H>> {
    let (clock, ids) = (auth.clock.clone(), auth.ids.clone());
    Arc::new(Worker::new(auth.store.connection(), queue, handler, clock, ids))
}
