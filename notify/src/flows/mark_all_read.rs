//! Marks all notifications of a user as read, up to now, and tells the user's windows.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::hint::{Hint, Told};
use crate::domain::notification::{Reading, Standing};

/// Marks them; where the inbox stands then. Doing it again changes nothing.
pub(crate) async fn mark_all_read(app: &App, user_id: Uuid) -> Result<Standing, ServiceError> {
    let now = app.clock.now();
    let Some(standing) = app.store.mark_inbox_read(user_id, now).await? else {
        return Ok(app.store.standing_of(user_id).await?);
    };
    let told = Told::Read(Reading::UpTo(standing.seq), standing);
    app.pushes.tell(vec![Hint { id: app.ids.uuid(now), user_id, told }]);
    Ok(standing)
}
