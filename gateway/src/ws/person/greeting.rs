//! How a person greets their sockets.

use proto::edge::SocketAuthOk;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Person, Seat};
use crate::ws::hub::{Join, Refusal};

impl Person {
    /// Takes a socket in: first the subscription, then the database, then the greeting with what it missed.
    pub(super) async fn join(&mut self, join: &Join) -> Result<(), Refusal> {
        if self.seats.len() >= self.hub.sockets_max {
            return Err(Refusal::TooMany);
        }
        self.subscribe().await;
        let inbox = Box::pin(self.hub.inbox.sync(self.user_id, join.since)).await.map_err(Refusal::Failed)?;
        if self.seats.is_empty() {
            self.stand(&inbox);
        }
        let mut frames = Vec::with_capacity(inbox.missed.len() + 2);
        frames.push(self.hub.frames.auth_ok(
            join.id.as_ref(),
            &SocketAuthOk {
                user_id: self.user_id.to_string(),
                unread_count: inbox.unread_count,
                revision: inbox.revision,
                seq: inbox.seq,
                token_expires_at: Some(join.expires_at),
            },
        ));
        let told = |missed| self.hub.frames.notification(missed, inbox.unread_count, inbox.revision);
        frames.extend(inbox.missed.iter().map(told));
        if inbox.reset {
            frames.push(self.hub.frames.reset(inbox.seq));
        }
        join.socket.outbox.begin(frames);
        self.seats.push(Seat { socket: join.socket.clone(), from: inbox.seq });
        Ok(())
    }

    /// The greeting of a socket that was taken in before.
    pub(super) fn greeting(&self, join: &Join) -> Utf8Bytes {
        let data = SocketAuthOk {
            user_id: self.user_id.to_string(),
            unread_count: self.unread_count,
            revision: self.revision,
            seq: self.seq,
            token_expires_at: Some(join.expires_at),
        };
        self.hub.frames.auth_ok(join.id.as_ref(), &data)
    }
}
