//! Puts events into their readers' inboxes. The flow finds the words; the notification is written in the
//! transaction that ends the job, so that it comes once, and is told to open windows after that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobs::{Handler, Job, Settled, Verdict, Worker};
use uuid::Uuid;

use crate::app::App;
use crate::domain::hint::Hint;
use crate::flows::{self, Composed, Uncomposed};
use crate::store::{COMPOSITION_QUEUE, Composition, JobFailure, JobTransaction, Within};

/// A worker: puts what is due into inboxes, some at once, whenever it is asked to.
pub struct Compositions {
    app: App,
    worker: Worker<Compose>,
    round: Arc<Round>,
}

/// What a round has made, between its runs, its verdicts and its end.
#[derive(Default)]
struct Round {
    composed: Mutex<HashMap<Uuid, Composed>>,
    came: Mutex<HashMap<Uuid, Hint>>,
}

struct Compose {
    app: App,
    round: Arc<Round>,
}

impl Compositions {
    /// A worker that does nothing until it is asked to.
    pub(crate) fn new(app: &App) -> Self {
        let round = Arc::<Round>::default();
        let handler = Compose { app: app.clone(), round: Arc::clone(&round) };
        let (clock, ids) = (app.clock.clone(), app.ids.clone());
        let worker = Worker::new(app.store.connection(), COMPOSITION_QUEUE, handler, clock, ids);
        Self { app: app.clone(), worker, round }
    }

    /// Puts some of what is due into inboxes; how many.
    ///
    /// Takes at most 10 s and the time to write. An error means that a claim or a verdict could not be
    /// written; such a job is taken up again when its lease of 40 s ends.
    pub async fn run_once(&self) -> Result<usize, JobFailure> {
        let made = self.worker.run_once().await;
        lock(&self.round.composed).clear();
        let came = std::mem::take(&mut *lock(&self.round.came));
        // Where a commit failed it is not known which: the gateways find out by themselves.
        if made.is_ok() {
            self.app.pushes.tell(came.into_values().collect());
        }
        made
    }
}

impl Handler for Compose {
    async fn run(&self, job: &Job) -> Verdict {
        let Some(composition) = Composition::of_payload(&job.payload) else {
            return Verdict::Dead { reason: "its payload is none of ours".to_owned() };
        };
        match flows::compose_notification(&self.app, job.id, composition).await {
            Ok(composed) => {
                lock(&self.round.composed).insert(job.id, composed);
                Verdict::Done
            }
            Err(Uncomposed::Never(why)) => {
                tracing::info!(why, "an event comes into no inbox");
                Verdict::Done
            }
            Err(not_yet @ Uncomposed::NotYet(_)) => Verdict::Retry { reason: not_yet.to_string() },
            Err(broken @ Uncomposed::Broken(_)) => Verdict::Dead { reason: broken.to_string() },
        }
    }

    async fn settle(&self, tx: &JobTransaction, job: &Job, settled: &Settled) -> Result<(), JobFailure> {
        let composed = lock(&self.round.composed).get(&job.id).cloned();
        let (Settled::Done, Some(Composed { event, new })) = (settled, composed) else { return Ok(()) };
        let placed = Within::of(tx).insert_notifications(&event, &[new], self.app.clock.now()).await?;
        let mut came = lock(&self.round.came);
        for (user_id, notification, standing) in placed {
            came.insert(job.id, Hint::came(user_id, notification, standing));
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
