//! Proves an address, by the link's token or by the code beside it.

use proto::{ErrorCode, ServiceError};

use super::find_tenant::find_tenant;
use super::tell::happened;
use super::verify_code::redeem_code;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::code::Namespace;
use crate::domain::event::EventType;
use crate::domain::link::{Link, LinkToken, Purpose};
use crate::domain::origin::Origin;

/// What arrived at the address.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The token of the link.
    Token(String),
    /// The six digits.
    Code {
        /// The tenant asked for.
        tenant: Option<String>,
        /// The canonical address.
        email: String,
        /// The digits.
        code: String,
    },
}

/// Proves an address and welcomes its owner. Fails with `AUTH_LINK_INVALID`, `AUTH_OTP_INVALID`,
/// `AUTH_OTP_EXPIRED` or `AUTH_OTP_LOCKED`.
pub async fn verify_email(auth: &Auth, proof: Proof, origin: &Origin) -> Result<(), ServiceError> {
    let (link, refusal) = match proof {
        Proof::Token(token) => {
            (find_link(auth, &token, &[Purpose::VerifyEmail]).await?, ErrorCode::AuthLinkInvalid)
        }
        Proof::Code { tenant, email, code } => {
            let tenant = find_tenant(auth, tenant.as_deref()).await?;
            let link = redeem_code(auth, Namespace::VerifyEmail, tenant.id, &email, &code).await?;
            (link, ErrorCode::AuthOtpInvalid)
        }
    };
    let now = auth.clock.now();
    let tx = auth.store.begin().await?;
    tx.lock_user(link.user_id).await?;
    if !tx.mark_link_used(link.id, now).await? {
        return Err(refusal.into());
    }
    if tx.mark_user_verified(link.user_id, now).await? {
        let welcome = happened(auth, EventType::UserVerified, (link.tenant_id, link.user_id), now);
        tx.insert_event(&welcome, now).await?;
        let record = Record::own(link.tenant_id, link.user_id, Action::EmailVerified, origin);
        tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    }
    tx.commit().await?;
    auth.wake_outbox.notify();
    Ok(())
}

/// The open link that this token opens, for one of these purposes. Fails with `AUTH_LINK_INVALID`.
pub(super) async fn find_link(auth: &Auth, token: &str, purposes: &[Purpose]) -> Result<Link, ServiceError> {
    let invalid = || ServiceError::new(ErrorCode::AuthLinkInvalid);
    let token = LinkToken::parse(token).ok_or_else(invalid)?;
    let link = auth.store.link_by_id(token.id).await?.ok_or_else(invalid)?;
    let opens =
        link.is_opened_by(&token) && link.is_open(auth.clock.now()) && purposes.contains(&link.purpose);
    if opens { Ok(link) } else { Err(invalid()) }
}
