//! Makes the first administrator, so that somebody can let the others in. Later starts change nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use proto::{ErrorCode, ServiceError};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::link::Purpose;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::role::ADMIN;
use crate::domain::session::EndReason;
use crate::domain::tenant::ROOT;
use crate::domain::user::{DEFAULT_LOCALE, NewUser};
use crate::store::Tx;

/// The administrator that was made.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// The address.
    pub email: String,
    /// The password, where one was made up: it is shown once.
    pub made_up_password: Option<SecretString>,
}

impl fmt::Display for FirstAdministrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.made_up_password {
            Some(password) => {
                write!(
                    f,
                    "first administrator: {} (password, shown once: {})",
                    self.email,
                    password.expose_secret()
                )
            }
            None => write!(f, "first administrator: {} (password as configured)", self.email),
        }
    }
}

/// Makes the first administrator of the root tenant; nothing where there is one.
pub async fn create_first_administrator(auth: &Auth) -> Result<Option<FirstAdministrator>, ServiceError> {
    if auth.store.is_role_held_by_others(ROOT, ADMIN, Uuid::nil()).await? {
        return Ok(None);
    }
    let admin = &auth.config.admin;
    let email = proto::canonical::email(&admin.email).ok_or(ErrorCode::ValidationError)?;
    let made_up = admin.password.is_none().then(|| SecretString::from(BASE64.encode(auth.ids.bytes::<15>())));
    let password = admin.password.as_ref().or(made_up.as_ref()).ok_or(ErrorCode::Internal)?;
    let hash =
        auth.hasher.hash(Password::chosen("ADMIN_PASSWORD", password.expose_secret(), &[&email])?).await?;

    let now = auth.clock.now();
    let tx = auth.store.begin().await?;
    // Whoever changes administrators waits here for the others.
    tx.role_by_name_for_update(ROOT, ADMIN).await?;
    if tx.is_role_held_by_others(ROOT, ADMIN, Uuid::nil()).await? {
        return Ok(None);
    }
    let user_id = match tx.account_by_email(ROOT, &email).await? {
        Some(account) => take_over(&tx, account.user.id, now).await?,
        None => insert_administrator(auth, &tx, &email, &hash).await?,
    };
    tx.mark_user_password(user_id, &hash, now).await?;
    tx.mark_user_verified(user_id, now).await?;
    tx.insert_user_role(ROOT, user_id, ADMIN).await?;
    let record = Record::anonymous(ROOT, Some(user_id), Action::UserRegistered, &Origin::default());
    tx.insert_audit_record(auth.ids.uuid(now), record.with("first_administrator", true), now).await?;
    tx.commit().await?;
    Ok(Some(FirstAdministrator { email, made_up_password: made_up }))
}

/// Whoever registered the address before must not come into these rights: no session, token or link of
/// theirs goes on.
async fn take_over(tx: &Tx, user_id: Uuid, now: DateTime<Utc>) -> Result<Uuid, ServiceError> {
    tx.lock_user(user_id).await?;
    let live = tx.list_live_sessions(user_id, now).await?;
    let ids: Vec<Uuid> = live.into_iter().map(|session| session.id).collect();
    tx.mark_sessions_ended(&ids, EndReason::PasswordReset, now).await?;
    let purposes = [Purpose::VerifyEmail, Purpose::ResetPassword, Purpose::ResetPasswordByCode];
    tx.mark_links_closed(user_id, &purposes, now).await?;
    let version = tx.next_permission_version().await?;
    tx.mark_user_permission_version(user_id, version).await?;
    Ok(user_id)
}

async fn insert_administrator(auth: &Auth, tx: &Tx, email: &str, hash: &str) -> Result<Uuid, ServiceError> {
    let now = auth.clock.now();
    let new = NewUser {
        email: email.to_owned(),
        username: None,
        display_name: Some("Administrator".to_owned()),
        phone: None,
        locale: DEFAULT_LOCALE.to_owned(),
    };
    let user_id = auth.ids.uuid(now);
    tx.insert_user(user_id, ROOT, &new, hash, now).await?;
    Ok(user_id)
}
