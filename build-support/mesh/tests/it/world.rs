//! A small mesh: identities in a temporary folder, servers of `EventService`, channels to them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chassis::{Clock, Lifecycle};
use chrono::{TimeDelta, Utc};
use mesh::passport::{KeySource, Signer, Verifier};
use mesh::{Channel, Identity, Policy, RequestContext, Server, SpiffeId, Upstream};
use proto::notify::event_service_client::EventServiceClient;
use proto::notify::event_service_server::{EventService, EventServiceServer};
use proto::notify::{Event, PublishRequest, PublishResponse};
use proto::{ErrorCode, ServiceError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// Lets auth publish, and nobody else.
pub(crate) const POLICY: &str = r#"
    version = 1
    [[allow]]
    from = ["auth"]
    to = "platform.notify.v1.EventService"
    methods = ["Publish"]
"#;

pub(crate) struct World {
    pub(crate) dir: TempDir,
    /// What the server and the channels go by; tests move it.
    pub(crate) clock: Clock,
    pub(crate) signer: Arc<Signer>,
}

/// A server of notify, and what reached its handler.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) identity: Identity,
    pub(crate) policy: Policy,
    pub(crate) ran: Arc<AtomicUsize>,
    pub(crate) contexts: mpsc::UnboundedReceiver<RequestContext>,
    /// One permit lets one call finish; there are plenty unless a test takes them.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) lifecycle: Lifecycle,
}

impl World {
    pub(crate) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests begin now, so that tools agree on the time")]
        let clock = Clock::manual(Utc::now());
        let dir = TempDir::new().unwrap();
        let signer = Signer::new("k1", &Signer::generate().unwrap()).unwrap();
        let world = Self { dir, clock, signer: Arc::new(signer) };
        world.write_policy(POLICY);
        certs::dev::ensure(world.dir.path(), &["gateway", "auth", "notify"], &world.clock).unwrap();
        world
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        Identity::open(self.folder(name), self.clock.clone()).unwrap()
    }

    /// Issues a new certificate to a service.
    pub(crate) fn renew(&self, name: &str) {
        let authority = certs::Authority::open(self.dir.path(), &self.clock).unwrap();
        authority.issue(name, Duration::from_hours(24)).unwrap();
    }

    pub(crate) fn write_policy(&self, text: &str) {
        std::fs::write(self.folder("policy.toml"), text).unwrap();
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_as(self.identity("notify")).await
    }

    pub(crate) async fn serve_as(&self, identity: Identity) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, contexts) = mpsc::unbounded_channel();
        let handler = Handler { ran: Arc::default(), seen, gate: Arc::new(Semaphore::new(1000)) };
        let (ran, gate) = (handler.ran.clone(), handler.gate.clone());
        let policy = Policy::open(self.folder("policy.toml")).unwrap();
        let passports =
            Verifier::new(KeySource::fixed(vec![self.signer.verifying_key()]), self.clock.clone());
        let server = Server { identity: identity.clone(), policy: policy.clone(), passports };
        let lifecycle = Lifecycle::new();
        let life = lifecycle.clone();
        lifecycle.spawn("server", async move {
            let routes = Routes::new(EventServiceServer::new(handler));
            server.serve(listener, routes, &life).await.unwrap();
        });
        Served { address, identity, policy, ran, contexts, gate, lifecycle }
    }

    /// A channel of `name` to a server that must be notify.
    pub(crate) fn channel(&self, name: &str, addresses: &[SocketAddr]) -> Channel {
        channel_of(self.identity(name), addresses)
    }
}

impl Served {
    pub(crate) fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }

    /// Holds calls inside the handler until the permits are given back.
    pub(crate) async fn hold(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.gate.clone().acquire_many_owned(1000).await.unwrap()
    }

    /// Waits until so many calls are or were inside the handler.
    pub(crate) async fn reached(&mut self, calls: usize) {
        for _ in 0..calls {
            tokio::time::timeout(Duration::from_secs(5), self.contexts.recv()).await.unwrap().unwrap();
        }
    }
}

struct Handler {
    ran: Arc<AtomicUsize>,
    seen: mpsc::UnboundedSender<RequestContext>,
    gate: Arc<Semaphore>,
}

#[tonic::async_trait]
impl EventService for Handler {
    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        // Tests that do not look have dropped the other end.
        let _ = self.seen.send(RequestContext::of(&request));
        let _permit = self.gate.acquire().await.expect("a test that closes the gate wants a panic");
        Ok(Response::new(PublishResponse { duplicate: false }))
    }
}

/// A channel of whom this is to a server that must be notify.
pub(crate) fn channel_of(identity: Identity, addresses: &[SocketAddr]) -> Channel {
    let expected = SpiffeId::new("platform.local", "notify").unwrap();
    let addresses = addresses.iter().map(ToString::to_string).collect();
    Channel::new(identity, Upstream { name: "notify".to_owned(), addresses, identity: expected })
}

/// A well-formed event.
pub(crate) fn event() -> PublishRequest {
    let id = "0192f0c1-2345-7abc-8def-0123456789ab".to_owned();
    let mut event = Event {
        id: id.clone(),
        tenant_id: id.clone(),
        r#type: "user.registered".to_owned(),
        user_ids: vec![id],
        ..Event::default()
    };
    event.occurred_at.get_or_insert_default();
    PublishRequest { event: Some(event) }
}

/// Publishes through a channel; the error as the platform reads it.
pub(crate) async fn publish(channel: &Channel) -> Result<(), ServiceError> {
    send(channel, Request::new(event())).await
}

pub(crate) async fn send(channel: &Channel, request: Request<PublishRequest>) -> Result<(), ServiceError> {
    let answer = EventServiceClient::new(channel.clone()).publish(request).await;
    answer.map(drop).map_err(|status| ServiceError::from_status(&status))
}

pub(crate) fn code(outcome: Result<(), ServiceError>) -> ErrorCode {
    outcome.expect_err("the call was to fail").code()
}

/// How long until a certificate of a service ends.
pub(crate) const DAY: TimeDelta = TimeDelta::hours(24);
