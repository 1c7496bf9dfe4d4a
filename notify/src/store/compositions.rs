//! The jobs that put an event into its readers' inboxes, a job a reader.

use std::collections::BTreeSet;
use std::time::Duration;

use chassis::Ids;
use chrono::{DateTime, Utc};
use jobs::{Counts, Exhausted, NewJob, Queue};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Queries, Result};

/// The jobs. Where auth is away they wait for it: nothing that happened is left out.
pub(crate) const COMPOSITION_QUEUE: Queue =
    Queue::new("composition", RUN_TIMEOUT).schedule(PAUSES, Exhausted::KeepTrying).batch(BATCH);

/// How long one may take: a question to auth, and the words.
const RUN_TIMEOUT: Duration = Duration::from_secs(10);

const PAUSES: &[Duration] =
    &[Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// How many a worker makes at once.
const BATCH: u64 = 32;

/// Which event is to come into whose inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Composition {
    /// The event.
    pub(crate) event_id: Uuid,
    /// The reader.
    pub(crate) user_id: Uuid,
}

impl Composition {
    fn payload(self) -> Value {
        json!({ "event": self.event_id, "user": self.user_id })
    }

    /// What a job of the queue is about; nothing where it is none of ours.
    pub(crate) fn of_payload(payload: &Value) -> Option<Self> {
        let id = |name: &str| payload.get(name)?.as_str()?.parse().ok();
        Some(Self { event_id: id("event")?, user_id: id("user")? })
    }
}

impl<C: ConnectionTrait> Queries<C> {
    /// How the queue stands.
    pub(crate) async fn composition_counts(&self, now: DateTime<Utc>) -> Result<Counts> {
        Ok(jobs::counts(&self.0, &COMPOSITION_QUEUE, now).await?)
    }

    /// Remembers that an event is to come into these users' inboxes. In the event's transaction.
    pub(crate) async fn insert_compositions(
        &self,
        event_id: Uuid,
        user_ids: &BTreeSet<Uuid>,
        ids: &Ids,
        now: DateTime<Utc>,
    ) -> Result<()> {
        for user_id in user_ids.iter().copied() {
            let payload = Composition { event_id, user_id }.payload();
            let job = NewJob { id: ids.uuid(now), key: None, payload, run_at: now };
            jobs::enqueue(&self.0, &COMPOSITION_QUEUE, job).await?;
        }
        Ok(())
    }
}
