//! Makes the deliveries that are due. The flow finds out what came of an attempt; here that becomes the
//! job's verdict, and is written down in the transaction that writes the verdict: a worker that was
//! overtaken writes neither.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jobs::{Handler, Job, Settled, Verdict, Worker};
use uuid::Uuid;

use crate::app::App;
use crate::domain::attempt::{Attempt, Outcome};
use crate::domain::delivery::Status;
use crate::flows;
use crate::store::{DELIVERY_QUEUE, Finding, JobFailure, JobTransaction, Within};

/// A worker: makes the deliveries that are due, a few at once, whenever it is asked to.
pub struct Deliveries {
    worker: Worker<Deliver>,
    found: Found,
}

/// What came of the attempts of this round, between their run and their verdict.
type Found = Arc<Mutex<HashMap<Uuid, Attempt>>>;

struct Deliver {
    app: App,
    found: Found,
}

impl Deliveries {
    /// A worker that does nothing until it is asked to.
    pub(crate) fn new(app: &App) -> Self {
        let found = Found::default();
        let handler = Deliver { app: app.clone(), found: found.clone() };
        let worker =
            Worker::new(app.store.connection(), DELIVERY_QUEUE, handler, app.clock.clone(), app.ids.clone());
        Self { worker, found }
    }

    /// Makes some of the deliveries that are due; how many.
    ///
    /// Takes at most 35 s and the time to write. An error means that a claim or a verdict could not be
    /// written; such a delivery is taken up again when its lease of 60 s ends.
    pub async fn run_once(&self) -> Result<usize, JobFailure> {
        let made = self.worker.run_once().await;
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
        made
    }
}

impl Handler for Deliver {
    async fn run(&self, job: &Job) -> Verdict {
        let Some(attempt) = flows::send_delivery(&self.app, job.id).await else { return Verdict::Done };
        let verdict = verdict(&attempt);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(job.id, attempt);
        verdict
    }

    async fn settle(&self, tx: &JobTransaction, job: &Job, settled: &Settled) -> Result<(), JobFailure> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&job.id).cloned();
        let Some(attempt) = found.or_else(|| unfinished(settled)) else { return Ok(()) };
        let (status, next_attempt_at) = match settled {
            Settled::Retry { at, .. } => (Status::Pending, Some(*at)),
            Settled::Done | Settled::Dead { .. } => (Status::after(attempt.outcome), None),
        };
        let finding = Finding { attempt: &attempt, status, at: self.app.clock.now(), next_attempt_at };
        Within::of(tx).record_attempt(job.id, &finding).await?;
        tell(job.id, &attempt, status);
        Ok(())
    }
}

/// Whatever has an end for its delivery has an end for the job; that a link was used or an address is
/// bad is no fault of ours to alarm anybody about.
fn verdict(attempt: &Attempt) -> Verdict {
    let reason = attempt.detail.clone();
    match attempt.outcome {
        Outcome::Sent | Outcome::Bounced | Outcome::Cancelled => Verdict::Done,
        Outcome::Deferred | Outcome::Unknown => Verdict::Retry { reason },
        Outcome::Refused => Verdict::Dead { reason },
    }
}

/// An attempt that never came to its end: its worker died or panicked, or it took too long.
fn unfinished(settled: &Settled) -> Option<Attempt> {
    match settled {
        Settled::Done => None,
        Settled::Retry { reason, .. } | Settled::Dead { reason } => {
            Some(Attempt::new(Outcome::Unknown, reason))
        }
    }
}

fn tell(delivery_id: Uuid, attempt: &Attempt, status: Status) {
    let (outcome, status_word) = (attempt.outcome.as_str(), status.as_str());
    tracing::info!(%delivery_id, outcome, status = status_word, "delivery attempted");
    metrics::counter!("platform_delivery_attempts_total", "outcome" => outcome).increment(1);
    if status != Status::Pending {
        metrics::counter!("platform_deliveries_total", "outcome" => status_word).increment(1);
    }
}
