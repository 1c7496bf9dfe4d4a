//! The fan-out over NATS: published with the acknowledgement of a `JetStream` stream, received by plain
//! subscriptions, which such a message reaches as well. No consumers: whoever missed something asks the
//! record, not the broker.

mod connect;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, Event, Subscriber};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{ANSWER_TIMEOUT, FanoutError};

/// Nobody listens here, and the server says so.
const NOBODY: &str = "platform.fanout.nobody";

/// How often a new connection is asked whether all subscriptions are in force.
const SETTLING_TRIES: usize = 5;

/// How much a stream keeps, in bytes: nobody reads it, it only recognises doubles.
const STREAM_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// A connection, for ever kept up, and the streams it answers for.
pub struct Nats {
    client: Client,
    jetstream: Context,
    streams: Mutex<Vec<Config>>,
    /// Whether the streams may be gone: set by a failure, cleared by whoever makes them again.
    doubtful: AtomicBool,
    losses: watch::Sender<u64>,
}

impl Nats {
    pub(super) async fn connect(url: &str, extra_roots: Option<&Path>) -> Result<Arc<Nats>, FanoutError> {
        // What happens to the connection is told to a callback, which must not keep the connection alive.
        let told = Arc::new(OnceLock::<Weak<Nats>>::new());
        let listener = Arc::clone(&told);
        let options = connect::options(url, extra_roots)?.event_callback(move |event| {
            let nats = listener.get().and_then(Weak::upgrade);
            async move {
                if let (Some(nats), Event::Connected) = (nats, event) {
                    nats.settle().await;
                }
            }
        });
        let client = options
            .connect(connect::servers(url)?)
            .await
            .map_err(|error| FanoutError::broker("connect", error))?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(ANSWER_TIMEOUT);
        let nats = Arc::new(Nats {
            client,
            jetstream,
            streams: Mutex::default(),
            doubtful: AtomicBool::new(false),
            losses: watch::Sender::default(),
        });
        // Set once, here.
        let _ = told.set(Arc::downgrade(&nats));
        if nats.round_trip("connect").await.is_err() {
            tracing::warn!("the fan-out's broker is not reachable yet, connecting in the background");
        }
        Ok(nats)
    }

    pub(super) async fn ensure_stream(
        &self,
        name: &str,
        subjects: &str,
        kept: Duration,
    ) -> Result<(), FanoutError> {
        let stream = Config {
            name: name.to_owned(),
            subjects: vec![subjects.to_owned()],
            max_age: kept,
            duplicate_window: kept,
            max_bytes: STREAM_BYTES_MAX,
            discard: DiscardPolicy::Old,
            storage: StorageType::Memory,
            ..Config::default()
        };
        {
            let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            streams.retain(|known| known.name != stream.name);
            streams.push(stream);
        }
        self.restore().await
    }

    pub(super) async fn publish(&self, subject: &str, id: &str, payload: Bytes) -> Result<(), FanoutError> {
        self.present("publish")?;
        let published = timeout(ANSWER_TIMEOUT, self.publish_acknowledged(subject, id, payload)).await;
        let published = published.unwrap_or_else(|_| Err(FanoutError::timeout("publish")));
        if published.is_err() {
            // A lost stream shows as silence where somebody subscribes: the next one looks after it first.
            self.doubtful.store(true, Ordering::Relaxed);
        }
        published
    }

    async fn publish_acknowledged(&self, subject: &str, id: &str, payload: Bytes) -> Result<(), FanoutError> {
        if self.doubtful.swap(false, Ordering::Relaxed) {
            self.restore().await?;
        }
        let mut published = self.publish_once(subject, id, payload.clone()).await;
        if published.as_ref().is_err_and(|error| error.kind() == PublishErrorKind::StreamNotFound) {
            self.restore().await?;
            published = self.publish_once(subject, id, payload).await;
        }
        published.map_err(|error| FanoutError::broker("publish", error))
    }

    async fn publish_once(&self, subject: &str, id: &str, payload: Bytes) -> Result<(), PublishError> {
        let message = PublishMessage::build().payload(payload).message_id(id);
        self.jetstream.send_publish(subject.to_owned(), message).await?.await?;
        Ok(())
    }

    pub(super) async fn subscribe(&self, subject: &str) -> Result<Subscriber, FanoutError> {
        let sent = timeout(ANSWER_TIMEOUT, self.client.subscribe(subject.to_owned())).await;
        let subscriber = sent
            .map_err(|_| FanoutError::timeout("subscribe"))?
            .map_err(|error| FanoutError::broker("subscribe", error))?;
        // Whoever is away has forgotten all subscriptions, and is told all of them when it is back.
        if self.present("subscribe").is_ok()
            && let Err(error) = self.round_trip("subscribe").await
            && self.present("subscribe").is_ok()
        {
            return Err(error);
        }
        Ok(subscriber)
    }

    pub(super) fn losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }

    pub(super) async fn ping(&self) -> Result<(), FanoutError> {
        self.present("ping")?;
        self.round_trip("ping").await
    }

    /// After every (re)connection: once all subscriptions are in force, says that hints may have been
    /// lost, and makes streams that may have been.
    async fn settle(&self) {
        for _ in 0..SETTLING_TRIES {
            if self.round_trip("settle").await.is_ok() {
                break;
            }
            if self.present("settle").is_err() {
                return;
            }
        }
        self.losses.send_modify(|losses| *losses += 1);
        metrics::counter!("platform_fanout_connections_total").increment(1);
        if let Err(error) = self.restore().await {
            self.doubtful.store(true, Ordering::Relaxed);
            tracing::warn!(%error, "the fan-out's stream could not be made");
        }
    }

    /// Makes the streams that are gone.
    async fn restore(&self) -> Result<(), FanoutError> {
        self.present("stream")?;
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for stream in streams {
            let made = timeout(ANSWER_TIMEOUT, self.jetstream.create_or_update_stream(stream)).await;
            made.map_err(|_| FanoutError::timeout("stream"))?
                .map_err(|error| FanoutError::broker("stream", error))?;
        }
        Ok(())
    }

    /// Returns when the server has done everything it was told before on this connection: it answers in
    /// order, and that nobody listens is an answer too.
    async fn round_trip(&self, operation: &'static str) -> Result<(), FanoutError> {
        match timeout(ANSWER_TIMEOUT, self.client.request(NOBODY, Bytes::new())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
            Ok(Err(error)) => Err(FanoutError::broker(operation, error)),
            Err(_) => Err(FanoutError::timeout(operation)),
        }
    }

    /// Fails at once where the connection is known to be down.
    fn present(&self, operation: &'static str) -> Result<(), FanoutError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(FanoutError::away(operation)),
        }
    }
}
