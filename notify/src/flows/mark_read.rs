//! Marks one notification of a user as read, and tells the user's windows.

use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use crate::app::App;
use crate::domain::hint::{Hint, Told};
use crate::domain::notification::{Reading, Standing};
use crate::store::Marked;

/// Marks it; where the inbox stands then. `NOT_FOUND` where it is not the user's. Doing it again changes
/// nothing.
pub(crate) async fn mark_read(app: &App, user_id: Uuid, id: Uuid) -> Result<Standing, ServiceError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let marked = tx.mark_notification_read(user_id, id, now).await?;
    tx.commit().await?;
    match marked {
        Marked::Now(standing) => {
            let told = Told::Read(Reading::One(id), standing);
            app.pushes.tell(vec![Hint { id: app.ids.uuid(now), user_id, told }]);
            Ok(standing)
        }
        Marked::Before(standing) => Ok(standing),
        Marked::Unknown => Err(ErrorCode::NotFound.into()),
    }
}
