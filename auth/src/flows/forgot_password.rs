//! Mails a way to reset a password, to an address that has an account; the answer is the same for all.

use proto::{ErrorCode, ServiceError};

use super::find_tenant::find_tenant;
use super::mail_link::{NewLink, Offer, offer_code};
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::code::Namespace;
use crate::domain::link::Purpose;
use crate::domain::origin::Origin;

/// Mails a link and a code. Within the cool-down nothing goes out. Fails with `RATE_LIMITED` where
/// too many went out today.
pub async fn forgot_password(
    auth: &Auth,
    tenant: Option<&str>,
    email: &str,
    origin: &Origin,
) -> Result<(), ServiceError> {
    let tenant = find_tenant(auth, tenant).await?;
    let now = auth.clock.now();
    let link_id = auth.ids.uuid(now);
    match offer_code(auth, Namespace::ForgotPassword, tenant.id, email, link_id).await {
        Offer::Code { .. } | Offer::LinkOnly { .. } => {}
        Offer::CoolingDown(_) => return Ok(()),
        Offer::OverQuota(left) => return Err(ServiceError::new(ErrorCode::RateLimited).retry_after(left)),
    }
    let user_id = auth.store.account_by_email(tenant.id, email).await?.map(|account| account.user.id);
    let to = (tenant.id, user_id.unwrap_or_else(|| auth.ids.uuid(now)));
    let link = NewLink::new(auth, link_id, to, Purpose::ResetPassword, now);
    let record = Record::anonymous(tenant.id, user_id, Action::PasswordResetRequested, origin);
    let tx = auth.store.begin().await?;
    match user_id {
        Some(_) => link.write(&tx, now).await?,
        None => link.write_decoy(&tx, now).await?,
    }
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    tx.commit().await?;
    auth.wake_outbox.notify();
    Ok(())
}
