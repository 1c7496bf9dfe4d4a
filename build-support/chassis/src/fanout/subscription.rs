//! One reader's end of a subject: bounded, and honest about what it may have missed.

use async_nats::Subscriber;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use tokio::task::unconstrained;

use super::memory::Reader;

/// How many messages wait for a reader; those that come on top are dropped.
pub(super) const WAITING_MAX: usize = 256;

/// What a subscription has for its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Bytes),
    /// The reader was so slow that messages may have been dropped: time to look at the record.
    Lagged,
}

/// Where messages of a subscription come from.
pub(super) enum Source {
    Memory(Reader),
    Nats(Subscriber),
}

/// A subscription; dropping it ends it.
pub struct Subscription {
    source: Source,
    /// What was found by looking past the message before.
    ahead: Option<Bytes>,
    /// How many messages were found since the queue was last seen empty.
    in_a_row: usize,
    lagged: bool,
}

impl Subscription {
    pub(super) fn new(source: Source) -> Subscription {
        Subscription { source, ahead: None, in_a_row: 0, lagged: false }
    }

    /// The next message; nothing once the fan-out is gone. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<Received> {
        if std::mem::take(&mut self.lagged) {
            return Some(Received::Lagged);
        }
        let message = if let Some(message) = self.ahead.take() {
            message
        } else {
            let message = self.source.next().await?;
            self.count();
            message
        };
        self.look_ahead();
        Some(Received::Message(message))
    }

    fn look_ahead(&mut self) {
        // Unconstrained: the scheduler's budget would make a full queue look empty.
        self.ahead = unconstrained(self.source.next()).now_or_never().flatten();
        match self.ahead {
            Some(_) => self.count(),
            None => self.in_a_row = 0,
        }
    }

    /// A message is dropped only where [`WAITING_MAX`] others wait, and they are found without seeing the
    /// queue empty in between: no drop goes unnoticed. Whoever is that far behind without a drop is told
    /// in vain, once in so many messages.
    fn count(&mut self) {
        self.in_a_row += 1;
        if self.in_a_row >= WAITING_MAX {
            self.in_a_row = 0;
            self.lagged = true;
        }
    }
}

impl Source {
    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Source::Memory(reader) => reader.next().await,
            Source::Nats(subscriber) => subscriber.next().await.map(|message| message.payload),
        }
    }
}
