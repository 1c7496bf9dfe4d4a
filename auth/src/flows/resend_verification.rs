//! Mails the verification again, to an address that still needs one; the answer is the same for all.

use std::time::Duration;

use proto::{ErrorCode, ServiceError};

use super::find_tenant::find_tenant;
use super::mail_link::{NewLink, Offer, offer_code};
use crate::app::Auth;
use crate::domain::code::Namespace;
use crate::domain::link::Purpose;

/// Mails the verification again and says how long to wait before asking once more. Fails with
/// `RATE_LIMITED` where too many went out today.
pub async fn resend_verification(
    auth: &Auth,
    tenant: Option<&str>,
    email: &str,
) -> Result<Duration, ServiceError> {
    let tenant = find_tenant(auth, tenant).await?;
    let now = auth.clock.now();
    let link_id = auth.ids.uuid(now);
    let again_after = match offer_code(auth, Namespace::VerifyEmail, tenant.id, email, link_id).await {
        Offer::Code { again_after } | Offer::LinkOnly { again_after } => again_after,
        Offer::CoolingDown(left) => return Ok(left),
        Offer::OverQuota(left) => return Err(ServiceError::new(ErrorCode::RateLimited).retry_after(left)),
    };
    let account = auth.store.account_by_email(tenant.id, email).await?;
    let user_id = account.filter(|account| !account.user.email_verified).map(|account| account.user.id);
    let to = (tenant.id, user_id.unwrap_or_else(|| auth.ids.uuid(now)));
    let link = NewLink::new(auth, link_id, to, Purpose::VerifyEmail, now);
    let tx = auth.store.begin().await?;
    match user_id {
        Some(_) => link.write(&tx, now).await?,
        None => link.write_decoy(&tx, now).await?,
    }
    tx.commit().await?;
    auth.wake_outbox.notify();
    Ok(again_after)
}
