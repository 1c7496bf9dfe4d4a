//! Lists the caller's sessions.

use mesh::Caller;
use proto::ServiceError;

use crate::app::Auth;
use crate::domain::cursor;
use crate::domain::session::Session;

/// How far a list may be read by page; further is by cursor.
const SKIP_MAX: u64 = 10_000;

/// Which page is wanted.
#[derive(Clone, Debug)]
pub struct Page {
    /// Which page, from 1.
    pub number: u32,
    /// How many a page holds.
    pub limit: u32,
    /// Where the page before ended; it goes before `page`.
    pub cursor: Option<String>,
}

/// A page of the caller's sessions, the newest first, and the cursor of the next. Fails with
/// `INVALID_CURSOR`, and with `VALIDATION_ERROR` where the page is too far.
pub async fn list_sessions(
    auth: &Auth,
    caller: &Caller,
    page: &Page,
) -> Result<(Vec<Session>, Option<String>), ServiceError> {
    let (page_number, limit) = (u64::from(page.number), u64::from(page.limit));
    if page_number * limit > SKIP_MAX {
        return Err(ServiceError::invalid("page", "is too far: go on by cursor"));
    }
    let before = match &page.cursor {
        Some(cursor) => Some(cursor::decode(&auth.sealer, caller.user_id, cursor)?),
        None => None,
    };
    let skip = if before.is_some() { 0 } else { (page_number - 1) * limit };
    // One more than the page holds tells whether there is a next.
    let mut sessions = auth.store.list_sessions(caller.user_id, before, skip, limit + 1).await?;
    let more = sessions.len() as u64 > limit;
    sessions.truncate(page.limit as usize);
    let last = sessions.last().filter(|_| more);
    let next = last.map(|session| cursor::encode(&auth.sealer, caller.user_id, session.id));
    Ok((sessions, next))
}
