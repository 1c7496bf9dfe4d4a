//! Sets a new password for the caller, who proves the current one. Every earlier session ends; a new
//! one begins.

use mesh::Caller;
use proto::{ErrorCode, ServiceError};

use super::begin_session::{NewSession, Start, Tokens};
use super::end_sessions::Ending;
use super::tell::happened_from;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::event::EventType;
use crate::domain::link::Purpose;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::session::{AuthMethod, EndReason};
use crate::hasher::Verdict;

/// Sets a new password. Fails with `AUTH_INVALID_CREDENTIALS` where the current one is wrong, and with
/// `VALIDATION_ERROR` naming `newPassword`.
pub async fn change_password(
    auth: &Auth,
    caller: &Caller,
    passwords: (&str, &str),
    origin: &Origin,
) -> Result<Tokens, ServiceError> {
    let (current, new) = passwords;
    let account = auth.store.account_by_id(caller.user_id).await?.ok_or(ErrorCode::NotFound)?;
    let session = auth.store.session_by_id(caller.session_id).await?.ok_or(ErrorCode::AuthTokenRevoked)?;
    if auth.hasher.verify(Password::typed(current), Some(&account.password_hash)).await? == Verdict::Wrong {
        return Err(ErrorCode::AuthInvalidCredentials.into());
    }
    let names = [account.user.email.as_str(), account.user.username.as_deref().unwrap_or_default()];
    let hash = auth.hasher.hash(Password::chosen("newPassword", new, &names)?).await?;

    let now = auth.clock.now();
    let ending = Ending::of_all(auth, caller.user_id, EndReason::PasswordChanged).await?;
    let tx = auth.store.begin().await?;
    let locked = tx.account_by_id_for_update(caller.user_id).await?.ok_or(ErrorCode::NotFound)?;
    if locked.password_hash != account.password_hash {
        return Err(ErrorCode::AuthInvalidCredentials.into());
    }
    let user = locked.user;
    tx.mark_user_password(user.id, &hash, now).await?;
    tx.mark_links_closed(user.id, &[Purpose::ResetPassword, Purpose::ResetPasswordByCode], now).await?;
    let ended = ending.write(auth, &tx, (Some(user.id), origin), now).await?;
    let start = Start {
        auth_method: AuthMethod::Local,
        device_type: session.device_type,
        login_context: session.login_context,
        origin: origin.clone(),
    };
    let new_session = NewSession::new(auth, &user, start, now);
    new_session.write(&tx, now).await?;
    let record = Record::own(user.tenant_id, user.id, Action::PasswordChanged, origin);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    let notice = happened_from(auth, EventType::PasswordChanged, (user.tenant_id, user.id), origin, now);
    tx.insert_event(&notice, now).await?;
    let rights = tx.rights_of_user(&user).await?;
    tx.commit().await?;

    ended.publish(auth).await;
    auth.wake_outbox.notify();
    new_session.tokens(auth, user, rights)
}
