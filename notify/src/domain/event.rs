//! What happened and whom it concerns, as a service told it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The most that an event may say about itself, as JSON, in bytes.
pub(crate) const DATA_BYTES_MAX: usize = 16 * 1024;

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Given by its publisher; the same id is the same event.
    pub(crate) id: Uuid,
    /// The tenant it happened in.
    pub(crate) tenant_id: Uuid,
    /// What happened: `user.registered`.
    pub(crate) kind: String,
    /// What templates may speak of; at most [`DATA_BYTES_MAX`].
    pub(crate) data: Map<String, Value>,
    /// By what auth reveals the secret of the message when it is sent.
    pub(crate) secret_reference: Option<String>,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
}

/// An event together with the users it concerns, each once.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    /// The event.
    pub(crate) event: Event,
    /// The users; at most 500.
    pub(crate) user_ids: BTreeSet<Uuid>,
}
