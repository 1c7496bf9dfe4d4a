//! The fan-out: tells the gateways what open windows should know, after it was written down. Nobody waits
//! for it and nothing fails with it; what is not told, they find in the database.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, Fanout, Lifecycle};
use futures::{StreamExt as _, stream};
use prost::Message as _;
use proto::notify as pb;
use tokio::sync::Semaphore;

use crate::domain::hint::{Hint, Told};
use crate::domain::notification::Reading;
use crate::wire;

/// How many hints may be under way, all in all; more are left out.
const PENDING_MAX: usize = 10_000;

/// How many are being published at once.
const AT_ONCE: usize = 128;

/// The way to open windows; clones share its bounds.
#[derive(Clone)]
pub(crate) struct Pushes {
    fanout: Fanout,
    clock: Clock,
    lifecycle: Lifecycle,
    pending: Arc<Semaphore>,
    publishing: Arc<Semaphore>,
}

impl Pushes {
    /// The way over this fan-out, whose stream is made where it can be.
    pub(crate) async fn open(fanout: Fanout, clock: Clock, lifecycle: Lifecycle) -> Self {
        let kept = Duration::from_secs(proto::fanout::KEPT_SECONDS);
        let made = fanout.ensure_stream(proto::fanout::STREAM, proto::fanout::SUBJECTS, kept).await;
        if let Err(error) = made {
            tracing::warn!(%error, "the fan-out's stream cannot be made yet");
        }
        let (pending, publishing) = (Semaphore::new(PENDING_MAX), Semaphore::new(AT_ONCE));
        Self { fanout, clock, lifecycle, pending: pending.into(), publishing: publishing.into() }
    }

    /// Tells these, sooner or later or not at all; returns at once. The end of the process waits for those
    /// under way.
    pub(crate) fn tell(&self, hints: Vec<Hint>) {
        if hints.is_empty() {
            return;
        }
        let room = u32::try_from(hints.len()).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.pending).try_acquire_many_owned(room) else {
            tracing::warn!(hints = hints.len(), "too many hints are under way, these are left out");
            metrics::counter!("platform_hints_dropped_total").increment(hints.len() as u64);
            return;
        };
        let pushes = self.clone();
        self.lifecycle.spawn_isolated("push", async move {
            let publish = stream::iter(hints).for_each_concurrent(AT_ONCE, |hint| pushes.publish(hint));
            publish.await;
            drop(room);
        });
    }

    async fn publish(&self, hint: Hint) {
        // Never closed, and if it were there would be nothing to wait for.
        let _turn = self.publishing.acquire().await;
        let subject = proto::fanout::user_subject(hint.user_id);
        let push = push(hint, self.clock.now());
        if let Err(error) = self.fanout.publish(&subject, &push.id, push.encode_to_vec().into()).await {
            tracing::debug!(%error, push = push.id, "a hint was not taken, the gateways catch up");
        }
    }
}

fn push(hint: Hint, now: chrono::DateTime<chrono::Utc>) -> pb::Push {
    pb::Push {
        id: hint.id.to_string(),
        user_id: hint.user_id.to_string(),
        told: Some(told(hint.told)),
        occurred_at: Some(wire::timestamp(now)),
    }
}

fn told(told: Told) -> pb::push::Told {
    use pb::push::Told as Push;
    match told {
        Told::Came(notification, standing) => Push::Came(pb::NotificationCame {
            notification: Some(wire::notification(*notification)),
            unread_count: standing.unread_count,
            revision: standing.revision,
        }),
        Told::Read(reading, standing) => {
            let (ids, up_to_seq) = match reading {
                Reading::One(id) => (vec![id.to_string()], None),
                Reading::UpTo(seq) => (Vec::new(), Some(seq)),
            };
            let (unread_count, revision) = (standing.unread_count, standing.revision);
            Push::Read(pb::NotificationsRead { ids, up_to_seq, unread_count, revision })
        }
        Told::Session { session_id, status, reason } => {
            Push::Session(pb::SessionChanged { session_id, status, reason })
        }
        Told::Permissions { roles, permissions } => {
            Push::Permissions(pb::PermissionsChanged { roles, permissions })
        }
        Told::Profile { fields } => Push::Profile(pb::ProfileChanged { fields }),
    }
}
