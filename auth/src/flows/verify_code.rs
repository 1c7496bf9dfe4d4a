//! Changes a mailed code into a token for the one thing it was asked for.

use std::time::Duration;

use chassis::kv::TryOutcome;
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use super::find_tenant::find_tenant;
use crate::app::Auth;
use crate::domain::code::{self, Namespace};
use crate::domain::link::{Link, LinkToken, Purpose};

/// How long the token works.
const SESSION_TTL: Duration = Duration::from_hours(1);

/// What a verified code opens.
#[derive(Debug)]
pub struct CodeSession {
    /// Opens the one thing, once.
    pub token: String,
    /// For how long.
    pub expires_in: Duration,
}

/// Changes the code of a forgotten password into a token that resets it. Fails with
/// `AUTH_OTP_INVALID`, `AUTH_OTP_EXPIRED` or `AUTH_OTP_LOCKED`.
pub async fn verify_code(
    auth: &Auth,
    tenant: Option<&str>,
    email: &str,
    code: &str,
) -> Result<CodeSession, ServiceError> {
    let tenant = find_tenant(auth, tenant).await?;
    let asked = redeem_code(auth, Namespace::ForgotPassword, tenant.id, email, code).await?;
    let now = auth.clock.now();
    let asked_id = asked.id;
    let token = LinkToken::derive(auth.ids.uuid(now), &auth.sealer);
    let link = Link {
        id: token.id,
        purpose: Purpose::ResetPasswordByCode,
        secret_hash: token.secret_hash(),
        expires_at: now + SESSION_TTL,
        ..asked
    };
    let tx = auth.store.begin().await?;
    // Whoever sets the password closes the links, holding the account: none may be made after that.
    tx.lock_user(link.user_id).await?;
    if !tx.link_by_id(asked_id).await?.is_some_and(|asked| asked.is_open(now)) {
        return Err(ErrorCode::AuthOtpInvalid.into());
    }
    tx.mark_links_closed(link.user_id, &[link.purpose], now).await?;
    tx.insert_link(&link, now).await?;
    tx.commit().await?;
    Ok(CodeSession { token: token.expose(), expires_in: SESSION_TTL })
}

/// Takes a code and gives the open link it went beside. A code works once; wrong ones are counted and
/// then locked. The link itself is left open.
pub(super) async fn redeem_code(
    auth: &Auth,
    namespace: Namespace,
    tenant_id: Uuid,
    email: &str,
    digits: &str,
) -> Result<Link, ServiceError> {
    let bounds = namespace.bounds();
    let keys = namespace.keys(&auth.sealer, tenant_id, email);
    let digest = code::digest(namespace, digits, &auth.sealer);
    let record = match auth.kv.try_code(&keys, &digest, bounds.attempts_max, bounds.lock).await? {
        TryOutcome::Matched(record) => record,
        TryOutcome::Wrong | TryOutcome::Missing => return Err(ErrorCode::AuthOtpInvalid.into()),
        TryOutcome::Locked(left) => return Err(ServiceError::new(ErrorCode::AuthOtpLocked).retry_after(left)),
    };
    let (link_id, ends_at) = read(&record).ok_or(ErrorCode::AuthOtpInvalid)?;
    let now = auth.clock.now();
    if now.timestamp() >= ends_at {
        return Err(ErrorCode::AuthOtpExpired.into());
    }
    // A newer link closed this one.
    let link = auth.store.link_by_id(link_id).await?.filter(|link| link.is_open(now));
    let link = link.ok_or(ErrorCode::AuthOtpInvalid)?;
    // The address has no account: the link is a decoy.
    let user = auth.store.user_by_id(link.user_id).await?;
    user.map(|_| link).ok_or_else(|| ErrorCode::AuthOtpInvalid.into())
}

/// `<link id> <end in seconds since the epoch>`, as `mail_link` wrote it.
fn read(record: &str) -> Option<(Uuid, i64)> {
    let (link_id, ends_at) = record.split_once(' ')?;
    Some((link_id.parse().ok()?, ends_at.parse().ok()?))
}
