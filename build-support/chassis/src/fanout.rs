//! The fan-out: hints from whoever wrote something down to whoever shows it, a subject per reader. The
//! database is the record; what is lost here is asked for there.
//!
//! Two implementations stand behind one closed enum and one conformance suite. A message reaches every
//! subscription of its subject that began before it was published, at least once, unless
//! [`Received::Lagged`] or [`Fanout::connection_losses`] say that some may be missing.

mod config;
mod error;
mod memory;
mod nats;
mod subscription;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;

pub use config::FanoutConfig;
pub use error::FanoutError;
pub use subscription::{Received, Subscription};

use subscription::Source;

/// The longest the broker is waited for.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A fan-out; clones share it.
#[derive(Clone)]
pub enum Fanout {
    /// Inside this process: never away, gone with it.
    Memory(Arc<memory::Memory>),
    /// A NATS server or cluster with `JetStream`, shared by all processes.
    Nats(Arc<nats::Nats>),
}

impl Fanout {
    /// A fan-out within this process.
    pub fn memory() -> Fanout {
        Fanout::Memory(Arc::default())
    }

    /// A fan-out over the servers at `nats://` or `tls://` addresses, comma-separated, trusting also the
    /// authorities in the PEM file `extra_roots`.
    ///
    /// Fails only where an address or the file is malformed: servers that are away are connected to in the
    /// background, for ever.
    pub async fn connect(url: &SecretString, extra_roots: Option<&Path>) -> Result<Fanout, FanoutError> {
        Ok(Fanout::Nats(nats::Nats::connect(url.expose_secret(), extra_roots).await?))
    }

    /// Sees to it that what is published on `subjects` (where `*` stands for one part) has a stream to
    /// acknowledge it, which keeps it in the broker's memory for `kept` and drops a second message of an
    /// id for as long. Asked for once, it is made again whenever the broker has lost it, also where this
    /// first call failed.
    pub async fn ensure_stream(
        &self,
        stream: &str,
        subjects: &str,
        kept: Duration,
    ) -> Result<(), FanoutError> {
        match self {
            Fanout::Memory(_) => Ok(()),
            Fanout::Nats(nats) => nats.ensure_stream(stream, subjects, kept).await,
        }
    }

    /// Publishes a message whose `id` is its own; returns when the broker has taken it, after
    /// [`ANSWER_TIMEOUT`] at the latest, and at once where the broker is known to be away. After an error
    /// the message may have been delivered all the same, and it may be published again.
    pub async fn publish(&self, subject: &str, id: &str, payload: Bytes) -> Result<(), FanoutError> {
        whole(subject)?;
        let begun = Instant::now();
        let published = match self {
            Fanout::Memory(memory) => {
                memory.publish(subject, &payload);
                Ok(())
            }
            Fanout::Nats(nats) => nats.publish(subject, id, payload).await,
        };
        let outcome = if published.is_ok() { "taken" } else { "failed" };
        metrics::counter!("platform_fanout_publishes_total", "outcome" => outcome).increment(1);
        metrics::histogram!("platform_fanout_publish_seconds").record(begun.elapsed().as_secs_f64());
        published
    }

    /// Subscribes to one whole subject: what is published after this returns arrives.
    ///
    /// Where the broker is known to be away this returns at once; the subscription begins when it is back,
    /// and [`connection_losses`](Fanout::connection_losses) says when that was. Fails where the broker
    /// should answer and does not, within [`ANSWER_TIMEOUT`].
    pub async fn subscribe(&self, subject: &str) -> Result<Subscription, FanoutError> {
        whole(subject)?;
        let source = match self {
            Fanout::Memory(memory) => Source::Memory(memory.subscribe(subject)),
            Fanout::Nats(nats) => Source::Nats(nats.subscribe(subject).await?),
        };
        Ok(Subscription::new(source))
    }

    /// Counts the times when hints may have been lost on every subscription: it moves after a connection
    /// was made (again) and all subscriptions are in force, which is the time to look at the record.
    pub fn connection_losses(&self) -> watch::Receiver<u64> {
        match self {
            Fanout::Memory(memory) => memory.losses(),
            Fanout::Nats(nats) => nats.losses(),
        }
    }

    /// Whether the broker answers.
    pub async fn ping(&self) -> Result<(), FanoutError> {
        match self {
            Fanout::Memory(_) => Ok(()),
            Fanout::Nats(nats) => nats.ping().await,
        }
    }
}

/// Says which fan-out, and nothing of what travels on it.
impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fanout::Memory(_) => "Fanout::Memory",
            Fanout::Nats(_) => "Fanout::Nats",
        })
    }
}

/// Refuses what is not the name of exactly one subject.
fn whole(subject: &str) -> Result<(), FanoutError> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*' && byte != b'>')
    };
    if subject.split('.').all(part) { Ok(()) } else { Err(FanoutError::subject()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_subject_has_parts_and_no_wildcards() {
        for subject in ["a", "notify.user.0198", "a-b.c_d.E"] {
            assert!(whole(subject).is_ok(), "{subject}");
        }
        for subject in ["", ".", "a.", ".a", "a..b", "a.*", "a.>", "a b", "a\r\nPUB b", "é"] {
            assert!(whole(subject).is_err(), "{subject}");
        }
    }
}
