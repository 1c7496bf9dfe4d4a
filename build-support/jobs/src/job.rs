//! A job as its handler sees it, and what a handler makes of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// Work to be stored.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id, a `UUIDv7`, which tells when it was made; a second job of the same id is not stored.
    pub id: Uuid,
    /// Unique in its queue as long as the row is kept: what must happen once has one.
    pub key: Option<String>,
    /// What the handler needs; forgotten when the job ends. Secrets only sealed or by reference.
    pub payload: Value,
    /// Not before this.
    pub run_at: DateTime<Utc>,
}

/// Work that was claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id, the same in every attempt: what receivers dedup by.
    pub id: Uuid,
    /// Its key, where it has one.
    pub key: Option<String>,
    /// What was stored with it.
    pub payload: Value,
    /// Which attempt this is, from 1; a worker that died counts.
    pub attempt: u32,
    /// The fence of this claim; a later claim has a higher one.
    pub fence: i64,
}

/// What a handler says of its run. Reasons are for operators: no secrets, at most 500 characters are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The effect took place.
    Done,
    /// It may work later: again after the next pause of the schedule, or dead where there is none.
    Retry {
        /// What failed.
        reason: String,
    },
    /// The same, at a time that the handler knows better; counts as an attempt of the schedule.
    RetryAt {
        /// When.
        at: DateTime<Utc>,
        /// What failed.
        reason: String,
    },
    /// It will never work.
    Dead {
        /// What failed.
        reason: String,
    },
}

/// What is written of a run, after the schedule had its say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Ended well.
    Done,
    /// To be run again.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// What failed.
        reason: String,
    },
    /// Ended badly.
    Dead {
        /// What failed last.
        reason: String,
    },
}
