//! Ends the sockets of sessions that have ended, within a second and whatever else is down: twice a
//! second the published access state of all open sockets is read, and where it is silent, in doubt or
//! away auth is asked. The push that says so is faster, and never needed. Where nobody can tell for a
//! minute the sockets end, too: access fails closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::{KvError, Wake};
use futures::StreamExt;
use proto::kv::{self, AccessRecord, AccessState};
use proto::{ErrorCode, ServiceError};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use uuid::Uuid;

use super::Sockets;
use super::answers::is_end;
use super::close::Close;
use super::socket::Socket;

/// How often the access state is read.
const EVERY: Duration = Duration::from_millis(500);
/// For how long a session may be in doubt: as long as published state is believed.
const DOUBT_MAX: Duration = Duration::from_secs(kv::ACCESS_TTL_SECONDS);
/// How many sessions one round trip is about.
const BATCH: usize = 500;
/// How many questions auth is asked at once.
const ASKS_MAX: usize = 32;

/// The open sockets by session.
type Sessions = BTreeMap<Uuid, Vec<Arc<Socket>>>;

/// The sessions of which the access state says nothing.
#[derive(Default)]
pub(super) struct Doubts {
    sessions: Mutex<Sessions>,
    wake: Wake,
}

impl Sockets {
    /// Watches the sessions of open sockets for as long as the process runs.
    pub(super) fn watch_sessions(self: &Arc<Self>) {
        let sockets = self.clone();
        self.lifecycle.every("socket sessions", EVERY, Wake::new(), move || {
            let sockets = sockets.clone();
            async move { Ok::<_, ServiceError>(sockets.check_sessions().await) }
        });
        let sockets = self.clone();
        // Apart from the first: while auth is slow to answer, what the store says must be heard.
        self.lifecycle.every("socket sessions in doubt", EVERY, self.doubts.wake.clone(), move || {
            let sockets = sockets.clone();
            async move { Ok::<_, ServiceError>(sockets.settle_doubts().await) }
        });
    }

    /// Ends what the access state says has ended, and notes what it does not say. Nothing remains to be
    /// done after it.
    async fn check_sessions(&self) -> usize {
        let sessions = self.sessions();
        let ids: Vec<Uuid> = sessions.keys().copied().collect();
        for batch in ids.chunks(BATCH) {
            let keys: Vec<String> = batch.iter().map(|id| kv::access_key(*id)).collect();
            let records = self.kv.get_many(&keys).await;
            for (place, id) in batch.iter().enumerate() {
                let Some(sockets) = sessions.get(id) else { continue };
                match state(&records, place) {
                    AccessState::Active { .. } => vouch(sockets),
                    AccessState::Ended => end(sockets),
                    AccessState::Doubt => {
                        end_forgotten(sockets);
                        self.doubts.add(*id, sockets.clone());
                    }
                }
            }
        }
        0
    }

    /// Asks auth about the sessions in doubt; where it does not answer, they are in doubt again soon.
    async fn settle_doubts(&self) -> usize {
        let doubts = self.doubts.take();
        let asks = doubts.into_values().map(|sockets| async move {
            let refusal = self.ask_auth(&sockets).await;
            (sockets, refusal)
        });
        let mut asks = futures::stream::iter(asks).buffer_unordered(ASKS_MAX);
        while let Some((sockets, refusal)) = asks.next().await {
            match refusal {
                None | Some(ErrorCode::AuthTokenStale) => vouch(&sockets),
                Some(code) if is_end(code) => end(&sockets),
                Some(_) => {}
            }
        }
        0
    }

    /// Why auth refuses a session, by the token of its newest socket.
    async fn ask_auth(&self, sockets: &[Arc<Socket>]) -> Option<ErrorCode> {
        let socket = sockets.iter().max_by_key(|socket| socket.number)?;
        let signed_in = socket.signed_in()?;
        let admitted = self.authenticator.admit(signed_in.token.expose_secret(), &socket.facts).await;
        admitted.err().map(|error| error.code())
    }

    fn sessions(&self) -> Sessions {
        let mut sessions = Sessions::new();
        for socket in self.register.all() {
            if let Some(id) = socket.session_id() {
                sessions.entry(id).or_default().push(socket);
            }
        }
        sessions
    }
}

/// What the store says of one session; nothing, or no store, is doubt.
fn state(records: &Result<Vec<Option<String>>, KvError>, place: usize) -> AccessState {
    let record = records.as_ref().ok().and_then(|records| records.get(place)?.as_deref());
    record.map_or(AccessState::Doubt, |record| AccessRecord::parse(record).state)
}

fn end(sockets: &[Arc<Socket>]) {
    for socket in sockets {
        socket.outbox.close(Close::NotAuthenticated);
    }
}

fn vouch(sockets: &[Arc<Socket>]) {
    let now = Instant::now();
    for socket in sockets {
        socket.vouch(now);
    }
}

/// Ends what nobody has vouched for in a long time; its clients may come again and prove who they are.
fn end_forgotten(sockets: &[Arc<Socket>]) {
    for socket in sockets {
        if socket.signed_in().is_some_and(|signed_in| signed_in.vouched_at.elapsed() > DOUBT_MAX) {
            socket.outbox.close(Close::Draining);
        }
    }
}

impl Doubts {
    fn add(&self, session_id: Uuid, sockets: Vec<Arc<Socket>>) {
        self.lock().insert(session_id, sockets);
        self.wake.notify();
    }

    fn take(&self) -> Sessions {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::task::{Context, Waker};

    use chassis::{Clock, Ids};
    use chrono::DateTime;
    use http::HeaderMap;

    use super::*;
    use crate::guard::facts::Facts;
    use crate::ws::socket::SignedIn;

    fn is_closed(socket: &Socket) -> bool {
        socket.outbox.poll_close(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_session_that_nobody_vouches_for_ends_after_a_minute() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let facts = Facts::read(&HeaderMap::new(), IpAddr::from([192, 0, 2, 1]), &Ids::seeded(1), &clock);
        let socket = Arc::new(Socket::new(1, facts));
        let long_ago = Instant::now().checked_sub(DOUBT_MAX + EVERY).unwrap();
        socket.sign_in(SignedIn {
            user_id: Uuid::nil(),
            session_id: Uuid::nil(),
            token: Arc::new("token".into()),
            vouched_at: long_ago,
        });
        let sockets = [socket.clone()];
        vouch(&sockets);
        end_forgotten(&sockets);
        assert!(!is_closed(&socket));
        socket.vouch(long_ago);
        end_forgotten(&sockets);
        assert!(is_closed(&socket));
    }
}
