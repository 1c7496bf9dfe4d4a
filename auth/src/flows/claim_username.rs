//! Whether a public name is free: a step of registering. That a name is taken is public; it must not
//! tell whether the address it was wished for with had an account before.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use crate::app::Auth;
use crate::domain::user::{NewUser, username_key};

/// How long a name is kept that was wished for with an address that has an account.
const RESERVED: Duration = Duration::from_hours(24);

/// Fails with `CONFLICT` where somebody else has the name.
pub(super) async fn refuse_taken_username(
    auth: &Auth,
    tenant_id: Uuid,
    new: &NewUser,
) -> Result<(), ServiceError> {
    let Some(username) = &new.username else { return Ok(()) };
    let is_free = if let Some(account) = auth.store.account_by_username(tenant_id, username).await? {
        account.user.email == new.email
    } else {
        let holder = auth.kv.get(&reservation(tenant_id, username)).await.ok().flatten();
        holder.is_none_or(|holder| holder == mark(auth, new))
    };
    if is_free {
        Ok(())
    } else {
        Err(ServiceError::new(ErrorCode::Conflict).message("This user name is taken."))
    }
}

/// Keeps a name as a new account would. The store may lose it: that costs this disguise and nothing else.
pub(super) async fn reserve_username(auth: &Auth, tenant_id: Uuid, new: &NewUser) {
    let Some(username) = &new.username else { return };
    let kept = auth.kv.set_if_absent(&reservation(tenant_id, username), &mark(auth, new), RESERVED).await;
    if let Err(error) = kept {
        tracing::debug!(%error, "a name was not reserved");
    }
}

/// Whose it is, without an address in the store.
fn mark(auth: &Auth, new: &NewUser) -> String {
    BASE64.encode(auth.sealer.derive("username-holder", new.email.as_bytes()))
}

fn reservation(tenant_id: Uuid, username: &str) -> String {
    format!("username:{{{tenant_id}}}:{}", username_key(username))
}
