//! notify's place in the mesh: takes events as the contract says and remembers them, or fails as told.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::{Clock, Lifecycle};
use mesh::passport::{KeySource, Verifier};
use mesh::{Policy, Server};
use proto::notify::event_service_server::{EventService, EventServiceServer};
use proto::notify::{Event, PublishRequest, PublishResponse};
use proto::{ErrorCode, ServiceError};
use testkit::identities::Mesh;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

const PATIENCE: Duration = Duration::from_secs(15);

/// What becomes of an event that arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It is taken and the answer says so.
    Takes,
    /// It is refused with this code.
    Refuses(ErrorCode),
    /// It is taken, and the answer never comes.
    Swallows,
}

/// A running notify; it ends with the value.
pub(crate) struct Notify {
    pub(crate) address: SocketAddr,
    heard: watch::Receiver<Vec<Event>>,
    mood: watch::Sender<Mood>,
    read: Mutex<HashSet<usize>>,
    life: Lifecycle,
}

impl Notify {
    pub(crate) async fn start(mesh: &Mesh) -> Notify {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heard) = watch::channel(Vec::new());
        let (mood, sees) = watch::channel(Mood::Takes);
        let server = Server {
            identity: mesh.identity("notify"),
            policy: Policy::parse(include_str!("../../../certs/policy.toml")).unwrap(),
            passports: Verifier::new(KeySource::fixed(Vec::new()), Clock::system()),
        };
        let routes = Routes::new(EventServiceServer::new(Ears { tell: Arc::new(tell), mood: sees }));
        let life = Lifecycle::new();
        let serving = life.clone();
        life.spawn("notify", async move { server.serve(listener, routes, &serving).await.unwrap() });
        Notify { address, heard, mood, read: Mutex::default(), life }
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// The next event of this type that no story has read yet.
    pub(crate) async fn next(&self, kind: &str) -> Event {
        let mut heard = self.heard.clone();
        let mut unread = None;
        let waited = heard.wait_for(|events| {
            let mut read = self.read.lock().unwrap();
            let mut found = events.iter().enumerate().filter(|(_, event)| event.r#type == kind);
            unread = found.find(|(index, _)| read.insert(*index)).map(|(_, event)| event.clone());
            unread.is_some()
        });
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        assert!(waited.is_ok(), "no event {kind}; heard: {:?}", self.kinds());
        unread.unwrap()
    }

    /// Everything of this type that arrived so far, doubles too.
    pub(crate) fn all(&self, kind: &str) -> Vec<Event> {
        self.heard.borrow().iter().filter(|event| event.r#type == kind).cloned().collect()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.heard.borrow().iter().map(|event| event.r#type.clone()).collect()
    }
}

impl Drop for Notify {
    fn drop(&mut self) {
        self.life.shutdown();
    }
}

struct Ears {
    tell: Arc<watch::Sender<Vec<Event>>>,
    mood: watch::Receiver<Mood>,
}

#[tonic::async_trait]
impl EventService for Ears {
    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        let event = request.into_inner().event.unwrap();
        let mood = *self.mood.borrow();
        if let Mood::Refuses(code) = mood {
            return Err(ServiceError::new(code).into());
        }
        let duplicate = self.tell.borrow().iter().any(|known| known.id == event.id);
        self.tell.send_modify(|events| events.push(event));
        if mood == Mood::Swallows {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(PublishResponse { duplicate }))
    }
}
