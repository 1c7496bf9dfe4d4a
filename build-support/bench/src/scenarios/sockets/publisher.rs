//! Who publishes, to everybody in turn.

use std::time::Duration;

use chassis::fanout::Fanout;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::{self, Instant};

use super::audience::Audience;
use crate::Failure;

/// How often is published at an even pace, and how much each time: 2 000 a second.
const BEAT: Duration = Duration::from_millis(1);
const PER_BEAT: usize = 2;

/// Publishes in two ways.
pub struct Publisher {
    plain: async_nats::Client,
    acknowledged: Fanout,
}

impl Publisher {
    /// Connects to the broker.
    pub async fn connect(nats: &str) -> Result<Self, Failure> {
        let plain = async_nats::connect(nats).await?;
        Ok(Self { plain, acknowledged: Fanout::connect(&nats.into(), None).await? })
    }

    /// Takes the stream away that keeps what is published: flat out it would be all that is measured.
    pub async fn end_keeping(&self) -> Result<(), Failure> {
        async_nats::jetstream::new(self.plain.clone()).delete_stream(proto::fanout::STREAM).await?;
        Ok(())
    }

    /// Publishes whenever there is room for another push, without an acknowledgement.
    pub async fn as_fast_as_read(&self, audience: &Audience, until: Instant) -> Result<(), Failure> {
        let mut turns = audience.lines.iter().cycle();
        while let Some(line) = turns.next().filter(|_| Instant::now() < until) {
            audience.take_room().await?;
            self.plain.publish(line.subject.clone(), line.publish().payload).await?;
        }
        Ok(())
    }

    /// Publishes at an even pace and as notify does: the broker says that it has each.
    pub async fn paced(&self, audience: &Audience, until: Instant) -> Result<(), Failure> {
        let mut turns = audience.lines.iter().cycle();
        let mut beat = time::interval(BEAT);
        let mut asked = FuturesUnordered::new();
        while Instant::now() < until {
            tokio::select! {
                _ = beat.tick() => for line in turns.by_ref().take(PER_BEAT) {
                    audience.take_room().await?;
                    let published = line.publish();
                    let publish = async move {
                        self.acknowledged.publish(&line.subject, &published.id, published.payload).await
                    };
                    asked.push(publish);
                },
                Some(answered) = asked.next() => answered?,
            }
        }
        while let Some(answered) = asked.next().await {
            answered?;
        }
        Ok(())
    }
}
