//! Says what a window that was away has missed.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::notification::{Notification, Standing};

/// How many notifications are worth replaying; beyond, a window reloads its list.
const MISSED_MAX: u64 = 500;

/// What was missed.
#[derive(Clone, Debug)]
pub(crate) enum Missed {
    /// These, the oldest first.
    These(Vec<Notification>),
    /// Too many.
    TooMany,
}

/// What came after the place `since`, and where the inbox stands; nothing where there is no such place,
/// not given or not reached yet.
pub(crate) async fn sync_inbox(
    app: &App,
    user_id: Uuid,
    since: Option<u32>,
) -> Result<(Missed, Standing), ServiceError> {
    let Some(since) = since else {
        return Ok((Missed::These(Vec::new()), app.store.standing_of(user_id).await?));
    };
    let excerpt = app.store.list_notifications_since(user_id, since, MISSED_MAX).await?;
    let missed = if excerpt.more { Missed::TooMany } else { Missed::These(excerpt.notifications) };
    Ok((missed, excerpt.standing))
}
