//! Says where a user's inbox stands, and how many are unread.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::notification::Standing;

/// Where it stands, in constant time.
pub(crate) async fn get_unread_count(app: &App, user_id: Uuid) -> Result<Standing, ServiceError> {
    Ok(app.store.standing_of(user_id).await?)
}
