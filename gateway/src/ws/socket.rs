//! What the rest of the gateway holds of an open socket: where its frames go, and whose it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tokio::time::Instant;
use uuid::Uuid;

use super::outbox::Outbox;
use crate::guard::facts::Facts;

/// An open socket.
pub(super) struct Socket {
    /// Tells it from all others of this gateway.
    pub(super) number: u64,
    /// What waits to be sent to it.
    pub(super) outbox: Outbox,
    /// What is known of its client.
    pub(super) facts: Facts,
    signed_in: Mutex<Option<SignedIn>>,
}

/// Who signed in on a socket.
#[derive(Clone)]
pub(super) struct SignedIn {
    /// The user; it stays the same for the socket's life.
    pub(super) user_id: Uuid,
    /// The session that the token belongs to.
    pub(super) session_id: Uuid,
    /// The token, to ask auth again.
    pub(super) token: Arc<SecretString>,
    /// When the session was last known to go on.
    pub(super) vouched_at: Instant,
}

impl Socket {
    /// A socket on which nobody has signed in.
    pub(super) fn new(number: u64, facts: Facts) -> Self {
        Self { number, outbox: Outbox::default(), facts, signed_in: Mutex::default() }
    }

    /// Who signed in, where somebody did.
    pub(super) fn signed_in(&self) -> Option<SignedIn> {
        self.lock().clone()
    }

    /// The session, where somebody signed in.
    pub(super) fn session_id(&self) -> Option<Uuid> {
        self.lock().as_ref().map(|signed_in| signed_in.session_id)
    }

    /// Somebody signed in.
    pub(super) fn sign_in(&self, signed_in: SignedIn) {
        *self.lock() = Some(signed_in);
    }

    /// The session goes on.
    pub(super) fn vouch(&self, now: Instant) {
        if let Some(signed_in) = self.lock().as_mut() {
            signed_in.vouched_at = now;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SignedIn>> {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
