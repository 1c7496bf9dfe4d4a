//! Signs a person in by a password. An unknown user and a wrong password are answered the same, after
//! the same work.

use proto::{ErrorCode, ServiceError};

use super::begin_session::{NewSession, Start, Tokens};
use super::end_sessions::Ending;
use super::find_tenant::find_tenant;
use super::tell::happened_from;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::event::EventType;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::session::{AuthMethod, EndReason};
use crate::domain::tenant::Tenant;
use crate::hasher::Verdict;
use crate::store::Account;

/// A person's attempt to sign in.
#[derive(Debug)]
pub struct LoginAttempt {
    /// The tenant asked for.
    pub tenant: Option<String>,
    /// Who they say they are.
    pub identifier: Identifier,
    /// What proves it.
    pub password: Password,
    /// The kind of device.
    pub device_type: String,
    /// What the client wants remembered.
    pub login_context: Option<serde_json::Value>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Who somebody says they are.
#[derive(Debug)]
pub enum Identifier {
    /// By the canonical address.
    Email(String),
    /// By the public name.
    Username(String),
}

/// Signs a person in. Fails with `AUTH_INVALID_CREDENTIALS`; after the right password with
/// `AUTH_ACCOUNT_BANNED`, `AUTH_ACCOUNT_PENDING` or `AUTH_ACCOUNT_UNVERIFIED`.
pub async fn login(auth: &Auth, attempt: LoginAttempt) -> Result<Tokens, ServiceError> {
    let tenant = find_tenant(auth, attempt.tenant.as_deref()).await?;
    // A sign-in beside this one may renew the hash of the same password: then it is proved again, once.
    for _ in 0..2 {
        let account = prove(auth, &tenant, &attempt).await?;
        if let Some(tokens) = begin(auth, &account, &attempt).await? {
            return Ok(tokens);
        }
    }
    Err(ErrorCode::AuthInvalidCredentials.into())
}

/// The account that the password opens.
async fn prove(auth: &Auth, tenant: &Tenant, attempt: &LoginAttempt) -> Result<Account, ServiceError> {
    let account = find_account(auth, tenant, &attempt.identifier).await?;
    let stored = account.as_ref().map(|account| account.password_hash.as_str());
    let verdict = auth.hasher.verify(attempt.password.clone(), stored).await?;
    let mut account = match (account, verdict) {
        (Some(account), Verdict::Right | Verdict::RightButOutdated) => account,
        (account, _) => return Err(refuse(auth, tenant, account, &attempt.origin).await),
    };
    account.user.may_sign_in(auth.unverified())?;
    if verdict == Verdict::RightButOutdated {
        renew_hash(auth, &mut account, attempt.password.clone()).await;
    }
    Ok(account)
}

async fn find_account(
    auth: &Auth,
    tenant: &Tenant,
    identifier: &Identifier,
) -> Result<Option<Account>, ServiceError> {
    Ok(match identifier {
        Identifier::Email(email) => auth.store.account_by_email(tenant.id, email).await?,
        Identifier::Username(username) => auth.store.account_by_username(tenant.id, username).await?,
    })
}

/// Remembers the failure, of an account that exists or not, and words it the same.
async fn refuse(auth: &Auth, tenant: &Tenant, account: Option<Account>, origin: &Origin) -> ServiceError {
    let now = auth.clock.now();
    let user_id = account.map(|account| account.user.id);
    let record = Record::anonymous(tenant.id, user_id, Action::LoginFailed, origin);
    metrics::counter!("platform_logins_total", "outcome" => "failed").increment(1);
    match auth.store.insert_audit_record(auth.ids.uuid(now), record, now).await {
        Ok(()) => ErrorCode::AuthInvalidCredentials.into(),
        Err(error) => error.into(),
    }
}

/// Failing to renew a hash keeps nobody out: the next login tries again.
async fn renew_hash(auth: &Auth, account: &mut Account, password: Password) {
    let renewed = async {
        let hash = auth.hasher.hash(password).await?;
        auth.store.mark_user_rehashed(account.user.id, &account.password_hash, &hash).await?;
        Ok::<_, ServiceError>(hash)
    };
    match renewed.await {
        Ok(hash) => account.password_hash = hash,
        Err(error) => tracing::warn!(%error, "an old hash was not renewed"),
    }
}

/// Begins the session; nothing where the hash that was proved is no longer the account's. Whoever
/// changes the password ends every session, and none of the old one may begin after that.
async fn begin(
    auth: &Auth,
    proved: &Account,
    attempt: &LoginAttempt,
) -> Result<Option<Tokens>, ServiceError> {
    let LoginAttempt { device_type, login_context, origin, .. } = attempt;
    let now = auth.clock.now();
    let others_max = auth.config.session_limit.saturating_sub(1);
    let ending = Ending::of_all_but(auth, proved.user.id, others_max, EndReason::LimitReached).await?;

    let tx = auth.store.begin().await?;
    let account = tx.account_by_id_for_update(proved.user.id).await?;
    let Some(account) = account.filter(|account| account.password_hash == proved.password_hash) else {
        return Ok(None);
    };
    let user = account.user;
    user.may_sign_in(auth.unverified())?;
    let rights = tx.rights_of_user(&user).await?;
    let start = Start {
        auth_method: AuthMethod::Local,
        device_type: device_type.clone(),
        login_context: login_context.clone(),
        origin: origin.clone(),
    };
    let new = NewSession::new(auth, &user, start, now);
    let ended = ending.write(auth, &tx, (Some(user.id), origin), now).await?;
    if !ended.is_empty() {
        let event =
            happened_from(auth, EventType::SessionLimitReached, (user.tenant_id, user.id), origin, now);
        tx.insert_event(&event, now).await?;
    }
    new.write(&tx, now).await?;
    let record = Record::own(user.tenant_id, user.id, Action::LoginSucceeded, origin)
        .with("session_id", new.session.id.to_string());
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    tx.commit().await?;

    ended.publish(auth).await;
    auth.wake_outbox.notify();
    metrics::counter!("platform_logins_total", "outcome" => "succeeded").increment(1);
    new.tokens(auth, user, rights).map(Some)
}
