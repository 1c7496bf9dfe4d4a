//! Mails a link, and where the address allows it a code beside it: a step of every flow that proves
//! an address. The secrets are revealed when the mail is sent; only ids are written here.

use std::time::Duration;

use chassis::kv::{IssueCode, IssueOutcome};
use chrono::{DateTime, Utc};
use proto::ServiceError;
use uuid::Uuid;

use super::tell::happened;
use crate::app::Auth;
use crate::domain::code::{self, Namespace};
use crate::domain::event::{Event, EventType};
use crate::domain::link::{Link, LinkToken, Purpose};
use crate::store::Tx;

/// How long a code is remembered after its end, so that a late one is told from a wrong one.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Whether a code may go out now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// It goes beside the link; another may be asked for after this long.
    Code { again_after: Duration },
    /// The link goes alone: codes are locked, or the store is away.
    LinkOnly { again_after: Duration },
    /// Neither: one went out a moment ago.
    CoolingDown(Duration),
    /// Neither: too many went out today.
    OverQuota(Duration),
}

/// Sets up the code that goes beside the link with this id. Asked for every address alike, whether or
/// not it has an account.
pub(super) async fn offer_code(
    auth: &Auth,
    namespace: Namespace,
    tenant_id: Uuid,
    email: &str,
    link_id: Uuid,
) -> Offer {
    let bounds = namespace.bounds();
    let digest = code::digest(namespace, &code::digits(link_id, &auth.sealer), &auth.sealer);
    let ends_at = (auth.clock.now() + bounds.ttl).timestamp();
    let issue = IssueCode {
        keys: &namespace.keys(&auth.sealer, tenant_id, email),
        record: &format!("{digest} {link_id} {ends_at}"),
        ttl: bounds.ttl + REMEMBERED,
        cooldown: bounds.cooldown,
        daily_max: bounds.daily_max,
    };
    match auth.kv.issue_code(issue).await {
        Ok(IssueOutcome::Issued) => Offer::Code { again_after: bounds.cooldown },
        Ok(IssueOutcome::CoolingDown(left)) => Offer::CoolingDown(left),
        Ok(IssueOutcome::OverQuota(left)) => Offer::OverQuota(left),
        // A stranger's wrong tries must not keep the owner from the link.
        Ok(IssueOutcome::Locked(_)) => Offer::LinkOnly { again_after: bounds.cooldown },
        Err(error) => {
            tracing::warn!(%error, "a link goes out without a code");
            Offer::LinkOnly { again_after: bounds.cooldown }
        }
    }
}

/// A link to be mailed.
pub(super) struct NewLink {
    link: Link,
    event: Event,
}

impl NewLink {
    /// The link with this id to this user, and the event that mails it.
    pub(super) fn new(auth: &Auth, id: Uuid, to: (Uuid, Uuid), purpose: Purpose, now: DateTime<Utc>) -> Self {
        let (tenant_id, user_id) = to;
        let (kind, ttl) = match purpose {
            Purpose::VerifyEmail => (EventType::UserRegistered, auth.config.verify_link_ttl),
            Purpose::ResetPassword | Purpose::ResetPasswordByCode => {
                (EventType::PasswordResetRequested, auth.config.reset_link_ttl)
            }
        };
        let secret_hash = LinkToken::derive(id, &auth.sealer).secret_hash();
        let link =
            Link { id, tenant_id, user_id, purpose, secret_hash, expires_at: now + ttl, used_at: None };
        let event = Event { link_id: Some(id), ..happened(auth, kind, (tenant_id, user_id), now) };
        Self { link, event }
    }

    /// Writes the link over the user's earlier ones, and enqueues its mail.
    pub(super) async fn write(&self, tx: &Tx, now: DateTime<Utc>) -> Result<(), ServiceError> {
        tx.lock_user(self.link.user_id).await?;
        tx.mark_links_closed(self.link.user_id, &[self.link.purpose], now).await?;
        tx.insert_link(&self.link, now).await?;
        Ok(tx.insert_event(&self.event, now).await?)
    }

    /// Writes what takes as long and mails nobody: the answer must not tell whether there is an account.
    pub(super) async fn write_decoy(&self, tx: &Tx, now: DateTime<Utc>) -> Result<(), ServiceError> {
        tx.lock_user(self.link.user_id).await?;
        tx.mark_links_closed(self.link.user_id, &[self.link.purpose], now).await?;
        Ok(tx.insert_link(&self.link, now).await?)
    }
}
