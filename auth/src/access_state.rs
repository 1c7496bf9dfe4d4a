//! The published access state: what auth writes to the KV so that the edge need not ask. The database
//! is the truth, and a record must never say more than it:
//!
//! - whoever changes rights *fences* the records and commits then. Afterwards the end of a session is
//!   published, which stays true; anything else is fenced again, since what is in force after this
//!   change may be about to fall by another, whose fence must stand. A durable job repeats this step;
//! - whoever misses a record *holds its place* before reading the database, and fills that place
//!   only: a fence, or the loss of the store, has taken the place meanwhile. Nobody else writes that a
//!   session goes on or that a version is in force.
//!
//! So a record outlives its truth only where the fence was lost: the store was away, or was emptied
//! between fence and commit. The step after the commit ends that, or the record's own time.
//!
//! Failures of the KV are logged and passed over: where it is away every check asks auth.

use std::time::Duration;

use chassis::{Kv, KvError};
use chrono::{DateTime, Utc};
use proto::kv::{self, AccessRecord, AccessState as State, VersionRecord};
use serde_json::json;
use uuid::Uuid;

use crate::domain::refresh_token::Generation;
use crate::domain::session::{EndReason, Session};
use crate::store::Ended;

const TTL: Duration = Duration::from_secs(kv::ACCESS_TTL_SECONDS);
const DOUBT_TTL: Duration = Duration::from_secs(kv::DOUBT_TTL_SECONDS);
/// How long a place is held: longer than reading the database may take.
const HOLD_TTL: Duration = Duration::from_secs(5);

/// The publisher. Clones share the store.
#[derive(Clone)]
pub struct AccessState {
    kv: Kv,
}

/// A place that is held until it is filled.
#[derive(Debug)]
pub struct Place {
    key: String,
    holder: String,
}

impl AccessState {
    /// A publisher to this store.
    pub fn new(kv: Kv) -> Self {
        Self { kv }
    }

    /// Puts sessions in doubt: before they are changed, and after it where they go on.
    pub async fn fence_sessions(&self, sessions: &[Session]) {
        for session in sessions {
            let doubt = AccessRecord { revision: session.revision, state: State::Doubt };
            self.put(&kv::access_key(session.id), &doubt.to_string()).await;
        }
    }

    /// Puts a user's permission version in doubt, before it is raised and after it.
    pub async fn fence_user_version(&self, user_id: Uuid, version: u64) {
        self.put(&kv::user_version_key(user_id), &VersionRecord::Doubt(version).to_string()).await;
    }

    async fn put(&self, key: &str, doubt: &str) {
        tolerate(self.kv.set(key, doubt, DOUBT_TTL).await.map(|()| true));
    }

    /// Publishes the end of sessions, after the commit.
    pub async fn publish_ended(&self, ended: &[Ended]) {
        for session in ended {
            let record = AccessRecord { revision: session.revision, state: State::Ended };
            tolerate(self.kv.set_if_newer(&kv::access_key(session.id), &record.to_string(), TTL).await);
        }
    }

    /// Announces the access tokens of ended sessions to other services, for as long as they would have
    /// lived.
    pub async fn announce_revoked(
        &self,
        tokens: &[Generation],
        user_id: Uuid,
        reason: EndReason,
        now: DateTime<Utc>,
    ) {
        for token in tokens {
            let Ok(left) = (token.access_expires_at - now).to_std() else { continue };
            let notice = json!({
                "revoked_at": now,
                "reason": reason.as_str(),
                "session_id": token.session_id,
                "user_id": user_id,
            });
            let key = kv::revoked_key(token.jti);
            let left = left.max(Duration::from_secs(1));
            // The first word stands: the durable job says it again, later.
            tolerate(self.kv.set_if_absent(&key, &notice.to_string(), left).await);
        }
    }

    /// Holds the place of a session's record; nothing where there is one.
    pub async fn hold_session(&self, session_id: Uuid, nonce: Uuid) -> Option<Place> {
        self.hold(kv::access_key(session_id), nonce).await
    }

    /// Holds the place of a user's permission version.
    pub async fn hold_user_version(&self, user_id: Uuid, nonce: Uuid) -> Option<Place> {
        self.hold(kv::user_version_key(user_id), nonce).await
    }

    /// Holds the place of a role's permission version.
    pub async fn hold_role_version(&self, tenant_id: Uuid, role: &str, nonce: Uuid) -> Option<Place> {
        self.hold(kv::role_version_key(tenant_id, role), nonce).await
    }

    async fn hold(&self, key: String, nonce: Uuid) -> Option<Place> {
        let holder = kv::place_holder(nonce);
        tolerate(self.kv.set_if_absent(&key, &holder, HOLD_TTL).await).then_some(Place { key, holder })
    }

    /// Fills a held place with a live session.
    pub async fn fill_session(&self, place: Option<Place>, session: &Session, roles: &[String]) {
        let state = State::Active { user_id: session.user_id, roles: roles.to_vec() };
        self.fill(place, &AccessRecord { revision: session.revision, state }.to_string()).await;
    }

    /// Fills a held place with the end of a session.
    pub async fn fill_ended(&self, place: Option<Place>, revision: u64) {
        self.fill(place, &AccessRecord { revision, state: State::Ended }.to_string()).await;
    }

    /// Fills a held place with a permission version.
    pub async fn fill_version(&self, place: Option<Place>, version: u64) {
        self.fill(place, &VersionRecord::Known(version).to_string()).await;
    }

    async fn fill(&self, place: Option<Place>, record: &str) {
        if let Some(Place { key, holder }) = place {
            tolerate(self.kv.compare_and_set(&key, &holder, record, TTL).await);
        }
    }
}

/// A store that is away decides nothing: the edge asks auth for what it cannot read.
fn tolerate(outcome: Result<bool, KvError>) -> bool {
    outcome.unwrap_or_else(|error| {
        metrics::counter!("platform_access_state_failures_total").increment(1);
        tracing::warn!(%error, "the access state could not be published");
        false
    })
}

#[cfg(test)]
mod tests;
