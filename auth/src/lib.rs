//! Identity and access: accounts, sessions, tokens, rights.
//!
//! A call enters by `grpc`, is told in order by a file of `flows`, judged by `domain`, remembered by
//! `store`. What starts without being asked is in `tasks`.

mod access_state;
mod app;
pub mod config;
mod domain;
mod flows;
mod grpc;
mod hasher;
mod keyring;
mod pages;
mod sealing_key;
mod store;
mod tasks;

use std::sync::Arc;

use chassis::{Clock, Ids, Kv, Lifecycle, Listeners, Ops};
use mesh::passport::{KeySource, Verifier, VerifyingKey};
use mesh::{Channel, Identity, Policy, Server, Upstream};
use proto::ServiceError;
use proto::notify::event_service_client::EventServiceClient;

use app::Auth;
pub use config::{Config, DEFAULTS};
use domain::tenant::{ROOT, ROOT_SLUG, Tenant};
pub use flows::FirstAdministrator;

/// What auth is given by whoever starts it.
pub struct Parts {
    /// Where it listens.
    pub listeners: Listeners,
    /// The KV, shared with the edge.
    pub kv: Kv,
    /// Whom auth is in the mesh.
    pub identity: Identity,
    /// Who may call what.
    pub policy: Policy,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// What spawns, and ends in order.
    pub lifecycle: Lifecycle,
}

/// Auth, put together, not serving yet.
pub struct Service {
    auth: Arc<Auth>,
    parts: Parts,
    first_administrator: Option<FirstAdministrator>,
}

/// Opens the database and the keys, and seeds what is missing.
pub async fn build(config: Config, parts: Parts) -> Result<Service, ServiceError> {
    let auth = Arc::new(Auth::open(config, &parts).await?);
    let root = Tenant { id: ROOT, slug: ROOT_SLUG.to_owned(), suspended: false };
    flows::seed_tenant(&auth, &root, "Default").await?;
    let first_administrator = flows::create_first_administrator(&auth).await?;
    Ok(Service { auth, parts, first_administrator })
}

impl Service {
    /// The first administrator, where this start made one.
    pub fn first_administrator(&self) -> Option<&FirstAdministrator> {
        self.first_administrator.as_ref()
    }

    /// Serves until the end is asked for.
    pub async fn run(self) -> Result<(), ServiceError> {
        let Self { auth, parts, .. } = self;
        let life = parts.lifecycle.clone();
        ops(&auth).serve(parts.listeners.ops, &life);
        let notify = Channel::new(parts.identity.clone(), notify_upstream(&auth.config, &parts.identity)?);
        tasks::start(&auth, EventServiceClient::new(notify), &life);
        let server = Server { identity: parts.identity, policy: parts.policy, passports: verifier(&auth) };
        server
            .serve(parts.listeners.service, grpc::routes(&auth), &life)
            .await
            .map_err(ServiceError::internal)
    }
}

fn ops(auth: &Arc<Auth>) -> Ops {
    let (database, kv) = (Arc::clone(&auth.store), auth.kv.clone());
    Ops::new("auth")
        .check("database", move || {
            let database = Arc::clone(&database);
            async move { database.ping().await.map_err(|error| error.to_string()) }
        })
        .check("kv", move || {
            let kv = kv.clone();
            async move { kv.ping().await.map_err(|error| error.to_string()) }
        })
}

fn notify_upstream(config: &Config, identity: &Identity) -> Result<Upstream, ServiceError> {
    let identity = identity.id().sibling("notify").map_err(ServiceError::internal)?;
    Ok(Upstream { name: "notify".to_owned(), addresses: config.notify_upstream.clone(), identity })
}

/// Auth verifies passports by its own ring.
fn verifier(auth: &Arc<Auth>) -> Verifier {
    let clock = auth.clock.clone();
    let auth = Arc::clone(auth);
    let keys = KeySource::fetch(move || {
        let keys = auth.keys.passport_keys().iter().filter_map(VerifyingKey::from_jwk).collect();
        async move { Ok(keys) }
    });
    Verifier::new(keys, clock)
}
