//! Chooses the concrete parts and puts the gateway together.

mod plug;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chassis::{Clock, Fanout, Ids, Kv, Lifecycle, Ops};
use chrono::TimeDelta;
use mesh::{Channel, Identity, Upstream};
use prost_reflect::ServiceDescriptor;
use tokio::net::TcpListener;

use crate::accept::Acceptor;
use crate::config::Config;
use crate::edge::{Edge, Room};
use crate::guard::authenticate::{Authenticator, KeyRing, Settings};
use crate::guard::client_ip::Proxies;
use crate::guard::rate_limit::Limiter;
use crate::routes::{self, Fault, Table, Target};
use crate::upstream::Upstreams;
use crate::ws::{self, Sockets};

/// What the gateway is given rather than makes.
pub struct Parts {
    /// Limits and the published access state; the same store as auth's.
    pub kv: Kv,
    /// Where pushes to open sockets come from; the same as notify's.
    pub fanout: Fanout,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// Who the gateway is in the mesh.
    pub identity: Identity,
    /// The life of the process.
    pub lifecycle: Lifecycle,
}

/// Why the gateway cannot start.
#[derive(Debug)]
pub enum StartError {
    /// Contracts that cannot be served, each named.
    Contracts(Vec<Fault>),
    /// An address that cannot be listened on.
    Listen(SocketAddr, std::io::Error),
    /// A name that is no identity of the mesh.
    Identity(mesh::MeshError),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contracts(faults) => {
                writeln!(f, "the contracts cannot be served:")?;
                faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
            }
            Self::Listen(address, error) => write!(f, "{address} cannot be listened on: {error}"),
            Self::Identity(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A gateway that listens and does not serve yet.
pub struct Gateway {
    edge: Arc<Edge>,
    acceptor: Acceptor,
    listener: TcpListener,
    ops: TcpListener,
    address: SocketAddr,
    ops_address: SocketAddr,
    keys: Arc<KeyRing>,
    parts: Parts,
}

/// Puts a gateway together and binds its addresses.
pub async fn build(config: Config, parts: Parts) -> Result<Gateway, StartError> {
    let table = builtin_routes(&config.path_prefix).map_err(StartError::Contracts)?;
    let channel = |name: &str, addresses: &[String]| {
        let identity = parts.identity.id().sibling(name).map_err(StartError::Identity)?;
        let upstream = Upstream { name: name.to_owned(), addresses: addresses.to_vec(), identity };
        Ok(Channel::new(parts.identity.clone(), upstream))
    };
    let auth = channel("auth", &config.auth_upstream)?;
    let mut upstreams = Upstreams::default();
    upstreams.add(auth.clone());
    let notify = channel("notify", &config.notify_upstream)?;
    upstreams.add(notify.clone());
    let table = plug::plug_in(&config, table, &mut upstreams, &parts.identity);

    let keys = Arc::new(KeyRing::new(auth.clone()));
    let public_url = config.issuer.clone();
    let settings = Settings {
        issuer: config.issuer,
        leeway: TimeDelta::from_std(config.token_leeway).unwrap_or_default(),
        remembered_max: config.bounds.tokens,
    };
    let proxies = Proxies::new(config.trusted_proxies);
    let authenticator =
        Arc::new(Authenticator::new(settings, keys.clone(), auth, parts.kv.clone(), parts.clock.clone()));
    let sockets = ws::Parts {
        authenticator: authenticator.clone(),
        notify,
        fanout: parts.fanout.clone(),
        kv: parts.kv.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        lifecycle: parts.lifecycle.clone(),
    };
    let sockets = Sockets::new(sockets, config.sockets, &public_url, &config.cors_origins)
        .map_err(|problem| StartError::Contracts(vec![Fault { method: "/ws".to_owned(), problem }]))?;
    let edge = Edge {
        table: ArcSwap::from_pointee(table),
        upstreams,
        authenticator,
        sockets: Arc::new(sockets),
        limiter: Limiter::new(parts.kv.clone(), parts.clock.clone()),
        proxies: proxies.clone(),
        times: config.times,
        bounds: config.bounds,
        under_way: Room::new(config.bounds.requests, config.bounds.requests_per_ip),
        coming: Room::new(config.bounds.requests, config.bounds.requests_per_ip),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
    };
    let (listener, address) = listen(config.listen).await?;
    let (ops, ops_address) = listen(config.ops_listen).await?;
    let acceptor = Acceptor { times: config.times, bounds: config.bounds, proxies };
    Ok(Gateway { edge: Arc::new(edge), acceptor, listener, ops, address, ops_address, keys, parts })
}

/// The routes of the platform's own contracts. A fault in one of them stops the start.
pub fn builtin_routes(path_prefix: &str) -> Result<Table, Vec<Fault>> {
    let target = |service: &ServiceDescriptor| match service.package_name() {
        "platform.auth.v1" => Some(Target::Service("auth".into())),
        "platform.notify.v1" => Some(Target::Service("notify".into())),
        "platform.edge.v1" => Some(Target::Registry),
        _ => None,
    };
    Table::build(routes::compile(proto::pool(), target)?, path_prefix)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

impl Gateway {
    /// Where REST is served.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The port of REST.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where operators are answered.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_address
    }

    /// The sockets, for whoever wants to see to them out of turn.
    pub fn sockets(&self) -> Arc<Sockets> {
        self.edge.sockets.clone()
    }

    /// Serves until the lifecycle asks to end. Requests under way then finish by themselves; the
    /// lifecycle waits for them.
    pub async fn run(self) {
        let Parts { kv, lifecycle, .. } = self.parts;
        let store = kv.clone();
        let keys = self.keys.clone();
        let ops = Ops::new("gateway")
            .check("kv", move || {
                let store = store.clone();
                async move { store.ping().await.map_err(|error| error.to_string()) }
            })
            // A token that cannot be verified cannot be served; later the last known keys go on.
            .check("keys", move || {
                let known = keys.version() > 0;
                async move { if known { Ok(()) } else { Err("not fetched from auth yet".to_owned()) } }
            });
        ops.serve(self.ops, &lifecycle);
        self.keys.watch(&lifecycle);
        self.edge.sockets.run();
        tracing::info!(address = %self.address, ops = %self.ops_address, "the gateway serves");
        self.acceptor.run(self.listener, self.edge, &lifecycle).await;
        tracing::info!("the gateway accepts nothing more");
    }
}
