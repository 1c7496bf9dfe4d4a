//! Registers a person. What is answered, and how soon, is the same whether or not the address has an
//! account: its owner learns of the attempt by mail.

use chrono::{DateTime, Utc};
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use super::claim_username::{refuse_taken_username, reserve_username};
use super::find_tenant::find_tenant;
use super::mail_link::{NewLink, offer_code};
use super::tell::happened_from;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::code::Namespace;
use crate::domain::event::EventType;
use crate::domain::link::Purpose;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::role;
use crate::domain::tenant::Tenant;
use crate::domain::user::{NewUser, User};
use crate::store::Account;

/// A person's wish for an account.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The tenant asked for.
    pub tenant: Option<String>,
    /// What the person says of themselves.
    pub new: NewUser,
    /// The password as it was typed.
    pub password: String,
    /// Where the wish comes from.
    pub origin: Origin,
}

/// Registers a person, or puts a new registration in the place of one that was never verified. Fails
/// with `CONFLICT` where the public name is taken.
pub async fn register(auth: &Auth, wish: Registration) -> Result<(), ServiceError> {
    let tenant = find_tenant(auth, wish.tenant.as_deref()).await?;
    let password = Password::chosen("password", &wish.password, &names(&wish.new))?;
    refuse_taken_username(auth, tenant.id, &wish.new).await?;
    let password_hash = auth.hasher.hash(password).await?;

    let written = write(auth, &tenant, &wish, &password_hash).await;
    auth.wake_outbox.notify();
    match written {
        // Somebody registered or proved the address, or took the name, between reading and writing.
        Err(WriteError::Taken) => {
            refuse_taken_username(auth, tenant.id, &wish.new).await?;
            write(auth, &tenant, &wish, &password_hash).await.map_err(ServiceError::from)
        }
        other => other.map_err(ServiceError::from),
    }
}

async fn write(auth: &Auth, tenant: &Tenant, wish: &Registration, hash: &str) -> Result<(), WriteError> {
    let now = auth.clock.now();
    match auth.store.account_by_email(tenant.id, &wish.new.email).await? {
        None => write_new(auth, tenant, wish, hash, now).await,
        // Where the unverified may sign in, somebody may be signed in: the account is as good as proved.
        Some(account) if account.user.email_verified || auth.config.allow_unverified => {
            write_repeated(auth, wish, account, now).await
        }
        Some(account) => write_again(auth, wish, &account.user, hash, now).await,
    }
}

async fn write_new(
    auth: &Auth,
    tenant: &Tenant,
    wish: &Registration,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let user_id = auth.ids.uuid(now);
    let link = link_to(auth, tenant.id, user_id, &wish.new.email, now).await;
    let tx = auth.store.begin().await?;
    tx.insert_user(user_id, tenant.id, &wish.new, hash, now).await?;
    tx.insert_user_role(tenant.id, user_id, role::USER).await?;
    link.write(&tx, now).await?;
    let record = Record::own(tenant.id, user_id, Action::UserRegistered, &wish.origin);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    Ok(tx.commit().await?)
}

/// The address was never proved: whoever registers now may be its owner as well as whoever did before.
async fn write_again(
    auth: &Auth,
    wish: &Registration,
    user: &User,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let link = link_to(auth, user.tenant_id, user.id, &user.email, now).await;
    let tx = auth.store.begin().await?;
    if !tx.mark_user_registered_again(user.id, &wish.new, hash, now).await? {
        return Err(WriteError::Taken);
    }
    link.write(&tx, now).await?;
    let record =
        Record::own(user.tenant_id, user.id, Action::UserRegistered, &wish.origin).with("again", true);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    Ok(tx.commit().await?)
}

async fn write_repeated(
    auth: &Auth,
    wish: &Registration,
    account: Account,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let to = (account.user.tenant_id, account.user.id);
    // What follows a registration follows here too: the cool-down, a code that may be tried in vain, a
    // name that is taken.
    let decoy = link_to(auth, to.0, auth.ids.uuid(now), &account.user.email, now).await;
    reserve_username(auth, to.0, &wish.new).await;
    let event = happened_from(auth, EventType::RegisterRepeated, to, &wish.origin, now);
    let tx = auth.store.begin().await?;
    decoy.write_decoy(&tx, now).await?;
    tx.insert_event(&event, now).await?;
    let record = Record::anonymous(to.0, Some(to.1), Action::RegisterRepeated, &wish.origin);
    tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
    Ok(tx.commit().await?)
}

async fn link_to(auth: &Auth, tenant_id: Uuid, user_id: Uuid, email: &str, now: DateTime<Utc>) -> NewLink {
    let link_id = auth.ids.uuid(now);
    // Whatever the offer: a registration always mails its link, and the code where one may go.
    offer_code(auth, Namespace::VerifyEmail, tenant_id, email, link_id).await;
    NewLink::new(auth, link_id, (tenant_id, user_id), Purpose::VerifyEmail, now)
}

fn names(new: &NewUser) -> Vec<&str> {
    let local_part = new.email.split('@').next();
    let names = [Some(new.email.as_str()), local_part, new.username.as_deref(), new.display_name.as_deref()];
    names.into_iter().flatten().collect()
}

/// What may happen on the way to the commit.
enum WriteError {
    /// The address or the public name is taken.
    Taken,
    Other(ServiceError),
}

impl From<crate::store::Error> for WriteError {
    fn from(error: crate::store::Error) -> Self {
        if error.is_unique_violation() { Self::Taken } else { Self::Other(error.into()) }
    }
}

impl From<ServiceError> for WriteError {
    fn from(error: ServiceError) -> Self {
        Self::Other(error)
    }
}

impl From<WriteError> for ServiceError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Taken => ErrorCode::Conflict.into(),
            WriteError::Other(error) => error,
        }
    }
}
