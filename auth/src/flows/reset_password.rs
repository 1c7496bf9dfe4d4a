//! Sets a new password for whoever proved the address, by a link or by a code. Every session ends.

use proto::{ErrorCode, ServiceError};

use super::end_sessions::Ending;
use super::tell::happened_from;
use super::verify_email::find_link;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::event::EventType;
use crate::domain::link::Purpose;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::session::EndReason;

const PURPOSES: [Purpose; 2] = [Purpose::ResetPassword, Purpose::ResetPasswordByCode];

/// Sets a new password. Fails with `AUTH_LINK_INVALID`, or `VALIDATION_ERROR` naming `newPassword`,
/// which leaves the link open.
pub async fn reset_password(
    auth: &Auth,
    token: &str,
    new_password: &str,
    origin: &Origin,
) -> Result<(), ServiceError> {
    let link = find_link(auth, token, &PURPOSES).await?;
    let user = auth.store.user_by_id(link.user_id).await?.ok_or(ErrorCode::AuthLinkInvalid)?;
    let names = [user.email.as_str(), user.username.as_deref().unwrap_or_default()];
    let password = Password::chosen("newPassword", new_password, &names)?;
    let hash = auth.hasher.hash(password).await?;

    let now = auth.clock.now();
    let to = (user.tenant_id, user.id);
    let ending = Ending::of_all(auth, user.id, EndReason::PasswordReset).await?;
    let tx = auth.store.begin().await?;
    tx.lock_user(user.id).await?;
    if !tx.mark_link_used(link.id, now).await? {
        return Err(ErrorCode::AuthLinkInvalid.into());
    }
    tx.mark_links_closed(user.id, &PURPOSES, now).await?;
    tx.mark_user_password(user.id, &hash, now).await?;
    // The mail arrived: that proves the address too.
    tx.mark_user_verified(user.id, now).await?;
    let ended = ending.write(auth, &tx, (Some(user.id), origin), now).await?;
    let record = Record::own(to.0, to.1, Action::PasswordReset, origin);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    tx.insert_event(&happened_from(auth, EventType::PasswordChanged, to, origin, now), now).await?;
    tx.commit().await?;

    ended.publish(auth).await;
    auth.wake_outbox.notify();
    Ok(())
}
