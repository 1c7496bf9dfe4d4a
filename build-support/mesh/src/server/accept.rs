//! The accept loop: how many connections there may be and how they all end. One connection is
//! `server/connection.rs`.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Ids, Lifecycle};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::guard::Guard;
use crate::Identity;

/// A mesh is small: a few services with a few replicas, each with one connection.
const CONNECTIONS_MAX: usize = 1024;
/// After this a connection is told to end, so that callers spread again; ±10 %.
const AGE: Duration = Duration::from_mins(30);
/// A little longer than the longest call.
const DRAIN_MAX: Duration = Duration::from_secs(35);
/// After a failed accept, which mostly means that there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All connections of a server.
pub(super) struct Connections {
    identity: Identity,
    guard: Arc<Guard>,
    ids: Ids,
    open: JoinSet<()>,
    slots: Arc<Semaphore>,
    draining: CancellationToken,
}

impl Connections {
    pub(super) fn new(identity: Identity, guard: Arc<Guard>, ids: Ids) -> Self {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { identity, guard, ids, open: JoinSet::new(), slots, draining: CancellationToken::new() }
    }

    /// Accepts until the lifecycle asks to end. At the cap newcomers wait in the listener's backlog.
    pub(super) async fn accept(&mut self, listener: &TcpListener, lifecycle: &Lifecycle) {
        loop {
            let slot = async {
                let slot = self.slots.clone().acquire_owned().await;
                (slot, listener.accept().await)
            };
            tokio::select! {
                () = lifecycle.requested() => return,
                Some(_) = self.open.join_next() => {}
                (slot, accepted) = slot => match (slot, accepted) {
                    (Ok(slot), Ok((stream, _))) => {
                        let connection = self.connection(stream);
                        self.open.spawn(async move {
                            connection.run().await;
                            drop(slot);
                        });
                    }
                    (_, Err(error)) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        time::sleep(ACCEPT_PAUSE).await;
                    }
                    // The semaphore is never closed.
                    (Err(_), _) => return,
                },
            }
        }
    }

    /// Tells every connection to end after its last call, and cuts those that do not.
    pub(super) async fn drain(&mut self) {
        self.draining.cancel();
        let all_ended = async { while self.open.join_next().await.is_some() {} };
        if time::timeout(DRAIN_MAX, all_ended).await.is_err() {
            tracing::warn!(left = self.open.len(), "connections were cut that did not end in time");
            self.open.abort_all();
        }
    }

    fn connection(&self, stream: TcpStream) -> Connection {
        Connection {
            stream,
            identity: self.identity.clone(),
            guard: self.guard.clone(),
            age: self.ids.jitter(AGE, 10),
            draining: self.draining.clone(),
        }
    }
}
