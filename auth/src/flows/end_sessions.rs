//! Ends sessions: a step of every flow that takes rights away. Fence, commit with what else the flow
//! writes, publish; a durable job repeats the last.

use chrono::{DateTime, Utc};
use proto::ServiceError;
use uuid::Uuid;

use super::tell;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::origin::Origin;
use crate::domain::refresh_token::Generation;
use crate::domain::session::{EndReason, Session};
use crate::store::{AccessPublication, Ended, Tx};

/// Which sessions are meant.
#[derive(Debug)]
enum Scope {
    /// Those that were put in doubt.
    Fenced,
    /// All of the user but so many, those used last. Those count that begin before the commit.
    AllBut(usize),
}

/// Sessions about to end: they are in doubt, and asked about at auth.
#[derive(Debug)]
#[must_use = "sessions in doubt are to be ended"]
pub(super) struct Ending {
    user_id: Uuid,
    scope: Scope,
    fenced: Vec<Uuid>,
    reason: EndReason,
}

/// Sessions that end with the commit.
#[derive(Debug)]
#[must_use = "an end is to be published"]
pub(super) struct Written {
    user_id: Uuid,
    reason: EndReason,
    ended: Vec<Ended>,
    tokens: Vec<Generation>,
}

impl Ending {
    /// All sessions of a user.
    pub(super) async fn of_all(auth: &Auth, user_id: Uuid, reason: EndReason) -> Result<Self, ServiceError> {
        Self::of_all_but(auth, user_id, 0, reason).await
    }

    /// All sessions of a user but so many, those used last.
    pub(super) async fn of_all_but(
        auth: &Auth,
        user_id: Uuid,
        kept: usize,
        reason: EndReason,
    ) -> Result<Self, ServiceError> {
        let live = auth.store.list_live_sessions(user_id, auth.clock.now()).await?;
        let ending = Self::of_these(auth, user_id, all_but(kept, &live), reason).await;
        Ok(Self { scope: Scope::AllBut(kept), ..ending })
    }

    /// These sessions of a user.
    pub(super) async fn of_these(
        auth: &Auth,
        user_id: Uuid,
        sessions: &[Session],
        reason: EndReason,
    ) -> Self {
        auth.access.fence_sessions(sessions).await;
        Self { user_id, scope: Scope::Fenced, fenced: ids(sessions), reason }
    }

    /// Writes the end, its audit record and the job that publishes it again; nothing where somebody
    /// else has ended them.
    pub(super) async fn write(
        self,
        auth: &Auth,
        tx: &Tx,
        by: (Option<Uuid>, &Origin),
        now: DateTime<Utc>,
    ) -> Result<Written, ServiceError> {
        let Self { user_id, scope, fenced, reason } = self;
        tx.lock_user(user_id).await?;
        let chosen = match scope {
            Scope::Fenced => fenced,
            Scope::AllBut(kept) => {
                let live = tx.list_live_sessions(user_id, now).await?;
                let chosen = all_but(kept, &live);
                // One that began since is rare, and worth a wait with the transaction open.
                let begun: Vec<_> = chosen.iter().filter(|one| !fenced.contains(&one.id)).cloned().collect();
                auth.access.fence_sessions(&begun).await;
                ids(chosen)
            }
        };
        let ended = tx.mark_sessions_ended(&chosen, reason, now).await?;
        let ids: Vec<Uuid> = ended.iter().map(|session| session.id).collect();
        if ids.is_empty() {
            return Ok(Written { user_id, reason, ended, tokens: Vec::new() });
        }
        let tokens = tx.list_live_access_tokens(&ids, now).await?;
        let tenant_id = tx.user_by_id(user_id).await?.map_or(Uuid::nil(), |user| user.tenant_id);
        let (actor_id, origin) = by;
        let record = Record { actor_id, ..Record::own(tenant_id, user_id, Action::SessionsEnded, origin) }
            .with("reason", reason.as_str())
            .with("sessions", ended.len());
        tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
        for session in &ended {
            let event = tell::session_ended(auth, (tenant_id, user_id), session.id, reason, now);
            tx.insert_event(&event, now).await?;
        }
        let publication = AccessPublication { user_id, session_ids: ids, end_reason: Some(reason) };
        tx.insert_access_publication(auth.ids.uuid(now), &publication, now).await?;
        Ok(Written { user_id, reason, ended, tokens })
    }
}

impl Written {
    /// Whether there was nothing left to end.
    pub(super) fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// Publishes the end, after the commit.
    pub(super) async fn publish(self, auth: &Auth) {
        auth.wake_outbox.notify();
        auth.access.publish_ended(&self.ended).await;
        auth.access.announce_revoked(&self.tokens, self.user_id, self.reason, auth.clock.now()).await;
    }
}

/// Of sessions in the order of their use all but the last so many.
fn all_but(kept: usize, sessions: &[Session]) -> &[Session] {
    sessions.get(..sessions.len().saturating_sub(kept)).unwrap_or_default()
}

fn ids(sessions: &[Session]) -> Vec<Uuid> {
    sessions.iter().map(|session| session.id).collect()
}
