//! Reads the caller.

use mesh::Caller;
use proto::{ErrorCode, ServiceError};

use crate::app::Auth;
use crate::domain::role::Rights;
use crate::domain::user::User;

/// A user and what they may do.
#[derive(Debug)]
pub struct Me {
    /// The user.
    pub user: User,
    /// What they may do.
    pub rights: Rights,
}

/// The caller. Fails with `NOT_FOUND` where the account is gone.
pub async fn get_me(auth: &Auth, caller: &Caller) -> Result<Me, ServiceError> {
    let user = auth.store.user_by_id(caller.user_id).await?.ok_or(ErrorCode::NotFound)?;
    let rights = auth.store.rights_of_user(&user).await?;
    Ok(Me { user, rights })
}
