//! Compares what people were told with the database: the broker's word is a hint, and the last hint of
//! all is missed by nobody but the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::Wake;
use proto::ServiceError;
use proto::notify::InboxRevision;
use uuid::Uuid;

use super::Sockets;
use super::hub::{Command, Stands};

/// How often everybody is compared.
const EVERY: Duration = Duration::from_secs(30);
/// How many inboxes one question may be about.
const BATCH: usize = 1000;

impl Sockets {
    /// Compares every now and then, and at once where hints may have been lost.
    pub(super) fn keep_caught_up(self: &Arc<Self>) {
        let wake = Wake::new();
        let sockets = self.clone();
        self.lifecycle.every("inbox comparison", EVERY, wake.clone(), move || {
            let sockets = sockets.clone();
            // All is done in one run, and nothing remains for another.
            async move { sockets.compare_inboxes().await.map(|()| 0) }
        });
        let (life, mut losses) = (self.lifecycle.clone(), self.hub.fanout.connection_losses());
        self.lifecycle.spawn("fan-out losses", async move {
            while let Some(Ok(())) = tokio::select! {
                moved = losses.changed() => Some(moved),
                () = life.requested() => None,
            } {
                wake.notify();
            }
        });
    }

    /// Compares where everybody's inbox stands with what their sockets were told; each person then asks
    /// for what they lack, so many at once.
    pub async fn compare_inboxes(&self) -> Result<(), ServiceError> {
        let user_ids = self.hub.user_ids();
        for batch in user_ids.chunks(BATCH) {
            let stands = self.hub.inbox.revisions(batch).await?;
            let stands = stands.into_iter().filter_map(|InboxRevision { user_id, seq, revision, .. }| {
                Some((user_id.parse().ok()?, Stands { seq, revision }))
            });
            let stands: HashMap<Uuid, Stands> = stands.collect();
            for user_id in batch {
                // An inbox without a row is an empty one.
                let stands = stands.get(user_id).copied().unwrap_or_default();
                self.hub.tell(*user_id, Command::Compare(stands));
            }
        }
        Ok(())
    }
}
