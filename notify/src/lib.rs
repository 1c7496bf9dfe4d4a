//! Tells people: takes events over the mesh, finds the words and the readers, keeps their inboxes, and
//! delivers, at least once told and once in effect.
//!
//! An event enters by `grpc` and is remembered by `flows::take_event`. Durable jobs put it into inboxes
//! (`flows::compose_notification`) and send it (`flows::send_delivery`) until each has its end. Open
//! windows are told by `fanout`, after the fact.

mod app;
mod channels;
pub mod config;
mod directory;
mod domain;
mod fanout;
mod flows;
mod grpc;
mod store;
mod tasks;
mod templates;
mod wire;

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use chassis::{Clock, Fanout, Ids, Lifecycle, Listeners, Ops};
use mesh::passport::{KeySource, Verifier, VerifyingKey};
use mesh::{Channel, Identity, MeshError, Policy, Server, Upstream};
use proto::ServiceError;
use proto::auth::GetPassportKeySetRequest;
use proto::auth::key_service_client::KeyServiceClient;
use proto::notify::broadcast_service_server::{BroadcastService, BroadcastServiceServer};
use proto::notify::event_service_server::{EventService, EventServiceServer};
use proto::notify::inbox_service_server::{InboxService, InboxServiceServer};
use tonic::service::Routes;

use app::App;
use config::Config;
use grpc::broadcast_service::Broadcasts;
use grpc::event_service::Events;
use grpc::inbox_service::Inboxes;
pub use tasks::{Compositions, Deliveries};

/// What notify is handed by the process it runs in.
pub struct Parts {
    /// Where it listens.
    pub listeners: Listeners,
    /// The way to open windows, shared with the edge.
    pub fanout: Fanout,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// Who notify is in the mesh.
    pub identity: Identity,
    /// Who may call what.
    pub policy: Policy,
    /// When to end.
    pub lifecycle: Lifecycle,
}

/// Why notify could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(Box<dyn Error + Send + Sync>),
    /// The folder for mails cannot be made.
    #[error("the folder for mails cannot be made: {0}")]
    MailFolder(io::Error),
    /// A built-in template is wrong.
    #[error("{0}")]
    Template(Box<dyn Error + Send + Sync>),
    /// The additional roots cannot be used.
    #[error(transparent)]
    Trust(#[from] chassis::trust::TrustError),
    /// TLS towards the relay cannot be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The identity in the mesh cannot be used.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

impl StartError {
    fn database(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Database(error.into())
    }

    fn template(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Template(error.into())
    }
}

/// A service that is ready to run.
pub struct Notify {
    app: App,
    parts: Parts,
    /// The way to auth.
    auth: Channel,
}

/// Connects to the database and brings it up to date; nothing is answered before [`Notify::run`].
pub async fn build(config: Config, parts: Parts) -> Result<Notify, StartError> {
    let upstream = Upstream {
        name: "auth".to_owned(),
        addresses: config.auth_upstream.clone(),
        identity: parts.identity.id().sibling("auth")?,
    };
    let auth = Channel::new(parts.identity.clone(), upstream);
    let app = App::choose(&config, &parts, auth.clone()).await?;
    Ok(Notify { app, parts, auth })
}

impl Notify {
    /// Where the mesh reaches it.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.parts.listeners.address()
    }

    /// The contract's service, for a caller in this process.
    pub fn events(&self) -> impl EventService + use<> {
        Events(self.app.clone())
    }

    /// The same of inboxes.
    pub fn inboxes(&self) -> impl InboxService + use<> {
        Inboxes(self.app.clone())
    }

    /// The same of what administrators tell people.
    pub fn broadcasts(&self) -> impl BroadcastService + use<> {
        Broadcasts(self.app.clone())
    }

    /// A worker beside those that [`Notify::run`] starts, which works when it is asked to.
    pub fn deliveries(&self) -> Deliveries {
        Deliveries::new(&self.app)
    }

    /// The same for what goes into inboxes.
    pub fn compositions(&self) -> Compositions {
        Compositions::new(&self.app)
    }

    /// Serves and delivers until the lifecycle asks for the end.
    pub async fn run(self) -> Result<(), MeshError> {
        let Self { app, parts, auth } = self;
        operations(&app).serve(parts.listeners.ops, &parts.lifecycle);
        tasks::start(&app, &parts.lifecycle);

        let passports = Verifier::new(passport_keys(auth), parts.clock.clone());
        let server = Server { identity: parts.identity, policy: parts.policy, passports };
        let routes = Routes::new(EventServiceServer::new(Events(app.clone())))
            .add_service(InboxServiceServer::new(Inboxes(app.clone())))
            .add_service(BroadcastServiceServer::new(Broadcasts(app)));
        server.serve(parts.listeners.service, routes, &parts.lifecycle).await
    }
}

/// auth says which keys vouch for passports.
fn passport_keys(auth: Channel) -> KeySource {
    let keys = KeyServiceClient::new(auth);
    KeySource::fetch(move || {
        let mut keys = keys.clone();
        async move {
            let answer = keys.get_passport_key_set(GetPassportKeySetRequest {}).await;
            let keys = answer.map_err(|status| ServiceError::from_status(&status))?.into_inner().keys;
            Ok(keys.iter().filter_map(VerifyingKey::from_jwk).collect())
        }
    })
}

/// Ready as long as the database answers: a mail relay that is away only delays what is owed.
fn operations(app: &App) -> Ops {
    let store = app.store.clone();
    Ops::new("notify").check("database", move || {
        let store = store.clone();
        async move { store.ping().await.map_err(|error| error.to_string()) }
    })
}
