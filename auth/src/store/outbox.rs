//! What must happen after a commit, enqueued in its transaction: events to tell, and access state to
//! publish again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jobs::{Exhausted, NewJob, Queue};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Queries, Result};
use crate::domain::event::Event;
use crate::domain::session::EndReason;

/// These jobs are never given up: what was committed is told.
const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// Events on their way to notify.
pub const OUTBOX: Queue =
    Queue::new("outbox", Duration::from_secs(10)).schedule(PAUSES, Exhausted::KeepTrying).batch(50);

/// Access state that is published again, for the case that the flow which changed it was cut off.
pub const PUBLISH_ACCESS: Queue =
    Queue::new("publish_access", Duration::from_secs(10)).schedule(PAUSES, Exhausted::KeepTrying).batch(50);

/// Whose access state is published again: these sessions, and the version of the user's rights.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccessPublication {
    /// The user.
    pub user_id: Uuid,
    /// The sessions.
    pub session_ids: Vec<Uuid>,
    /// Why they ended, where they did.
    pub end_reason: Option<EndReason>,
}

impl<C: ConnectionTrait> Queries<C> {
    /// Enqueues an event; its id is the job's.
    pub async fn insert_event(&self, event: &Event, now: DateTime<Utc>) -> Result<()> {
        let payload = serde_json::to_value(event).map_err(|error| DbErr::Json(error.to_string()))?;
        let job = NewJob { id: event.id, key: None, payload, run_at: now };
        jobs::enqueue(self.conn(), &OUTBOX, job).await?;
        Ok(())
    }

    /// Enqueues the repetition of what is published of a user's rights.
    pub async fn insert_access_publication(
        &self,
        id: Uuid,
        publication: &AccessPublication,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let payload = serde_json::to_value(publication).map_err(|error| DbErr::Json(error.to_string()))?;
        let job = NewJob { id, key: None, payload, run_at: now };
        jobs::enqueue(self.conn(), &PUBLISH_ACCESS, job).await?;
        Ok(())
    }

    /// Forgets jobs that ended before this; how many.
    pub async fn purge_jobs(&self, before: DateTime<Utc>, limit: u64) -> Result<u64> {
        Ok(jobs::purge_finished(self.conn(), before, limit).await?)
    }
}
