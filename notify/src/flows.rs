//! What notify does, a use case a file.

mod compose_notification;
mod get_unread_count;
mod list_notifications;
mod list_revisions;
mod mark_all_read;
mod mark_read;
mod send_delivery;
mod send_notification;
mod sync_inbox;
mod take_event;

pub(crate) use compose_notification::{Composed, Uncomposed, compose_notification};
pub(crate) use get_unread_count::get_unread_count;
pub(crate) use list_notifications::{Wish, list_notifications};
pub(crate) use list_revisions::list_revisions;
pub(crate) use mark_all_read::mark_all_read;
pub(crate) use mark_read::mark_read;
pub(crate) use send_delivery::send_delivery;
pub(crate) use send_notification::send_notification;
pub(crate) use sync_inbox::{Missed, sync_inbox};
pub(crate) use take_event::{Taken, take_event};
