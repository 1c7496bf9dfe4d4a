//! What a person learns from the database, which is the record.

use std::time::Duration;

use proto::edge::SocketUnreadCount;
use proto::notify::SyncInboxResponse;
use tokio::time::Instant;

use super::Person;
use crate::ws::hub::Stands;

/// How soon the database is asked again where it did not answer.
const RETRY: Duration = Duration::from_secs(1);

impl Person {
    /// Compares with where the inbox stands: a push that was the last for now is missed by nobody else.
    pub(super) async fn compare(&mut self, stands: Stands) {
        self.subscribe().await;
        if stands.revision > self.revision || stands.seq > self.seq {
            self.lack();
        }
    }

    /// Something may be missing: the database is asked next, unless it was and did not answer.
    pub(super) fn lack(&mut self) {
        if !self.seats.is_empty() {
            self.catch_up_at.get_or_insert_with(Instant::now);
        }
    }

    /// Asks the database for what came after the last one that was told.
    pub(super) async fn catch_up(&mut self) {
        metrics::counter!("platform_edge_socket_catch_ups_total").increment(1);
        match Box::pin(self.hub.inbox.sync(self.user_id, Some(self.seq))).await {
            Ok(inbox) => {
                self.catch_up_at = None;
                self.take(&inbox);
            }
            Err(error) => {
                tracing::debug!(%error, "an inbox cannot be read, it is tried again");
                self.catch_up_at = Some(Instant::now() + self.hub.ids.jitter(RETRY, 20));
            }
        }
    }

    /// Tells the sockets what the database says that they lack.
    fn take(&mut self, inbox: &SyncInboxResponse) {
        let (before, count_moved) = (self.seq, inbox.revision != self.revision);
        (self.unread_count, self.revision) = (inbox.unread_count, inbox.revision);
        for missed in &inbox.missed {
            if missed.seq > self.seq {
                self.tell_notification(missed);
            }
        }
        let is_told = self.seq > before;
        self.stand(inbox);
        if inbox.reset {
            self.tell(&self.hub.frames.reset(inbox.seq));
        } else if count_moved && !is_told {
            let data = SocketUnreadCount { count: inbox.unread_count, revision: inbox.revision };
            self.tell(&self.hub.frames.unread_count(data));
        }
    }

    /// The database is the record.
    pub(super) fn stand(&mut self, inbox: &SyncInboxResponse) {
        (self.seq, self.unread_count, self.revision) = (inbox.seq, inbox.unread_count, inbox.revision);
    }
}
