//! Says where and how to reach users, to services that have something to tell them.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::Auth;
use crate::domain::user::User;

/// The users with these ids, those that exist.
pub async fn get_contacts(auth: &Auth, user_ids: &[Uuid]) -> Result<Vec<User>, ServiceError> {
    Ok(auth.store.list_users_by_ids(user_ids).await?)
}
