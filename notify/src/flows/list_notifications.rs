//! Lists a user's notifications, the newest first. What is listed is seen.

use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use crate::app::App;
use crate::domain::notification::{Filter, Notification, Standing};
use crate::store::{Page, Start};

/// How far into a list page numbers reach, in rows; further is by cursor.
const ROWS_MAX: u32 = 10_000;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Of which notifications.
    pub(crate) filter: Filter,
    /// Which page, from 1; passed over where there is a cursor.
    pub(crate) page: u32,
    /// How many a page holds, 1 to 100.
    pub(crate) limit: u32,
    /// The last notification of the page before.
    pub(crate) after: Option<Uuid>,
}

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The notifications.
    pub(crate) notifications: Vec<Notification>,
    /// After which one the next page begins, where there is one.
    pub(crate) next: Option<Uuid>,
    /// Where the inbox stands.
    pub(crate) standing: Standing,
}

/// Lists a page.
pub(crate) async fn list_notifications(
    app: &App,
    user_id: Uuid,
    wish: &Wish,
) -> Result<Listed, ServiceError> {
    let page =
        Page { filter: wish.filter, start: start(app, user_id, wish).await?, limit: u64::from(wish.limit) };
    let excerpt = app.store.show_notifications(user_id, &page, app.clock.now()).await?;
    let last = excerpt.notifications.last().filter(|_| excerpt.more).map(|last| last.id);
    Ok(Listed { next: last, notifications: excerpt.notifications, standing: excerpt.standing })
}

/// A cursor is the id of a notification: whoever has one knows nothing by it that the own inbox does not
/// say, and one that is not in it was made up.
async fn start(app: &App, user_id: Uuid, wish: &Wish) -> Result<Start, ServiceError> {
    if let Some(id) = wish.after {
        let place = app.store.place_of(user_id, id).await?;
        return place.map(Start::Below).ok_or_else(|| ErrorCode::InvalidCursor.into());
    }
    if wish.page.saturating_mul(wish.limit) > ROWS_MAX {
        let problem = format!("reaches beyond row {ROWS_MAX}, which only a cursor does");
        return Err(ServiceError::invalid("page", problem));
    }
    Ok(Start::Offset(u64::from(wish.page.saturating_sub(1)) * u64::from(wish.limit)))
}
