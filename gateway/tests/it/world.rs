//! A gateway, an auth that does as it is told, and a store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, Fanout, Ids, Kv, Lifecycle, Source};
use gateway::config::{Config, UpstreamConfig};
use mesh::passport::{KeySource, Verifier};
use mesh::{Identity, Policy, Server};
use proto::kv;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::service::Routes;

use crate::auth::{Auth, ISSUER, SESSION, TENANT, USER, VERSION};
use crate::client::{Answer, Ask, SOON};

const MINUTE: Duration = Duration::from_mins(1);

/// A gateway and all it talks to.
pub(crate) struct World {
    pub(crate) edge: SocketAddr,
    pub(crate) auth: Arc<Auth>,
    pub(crate) kv: Kv,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: Lifecycle,
    /// The life of auth alone.
    pub(crate) auth_life: Lifecycle,
    /// The identities live as long as the world.
    _mesh: Mesh,
}

/// Identities in a folder of their own.
pub(crate) struct Mesh {
    dir: TempDir,
    clock: Clock,
}

/// What a test decides before the world begins.
#[derive(Default)]
pub(crate) struct Plan {
    settings: Vec<(String, String)>,
    upstreams: Vec<UpstreamConfig>,
    kv: Option<Kv>,
}

impl Plan {
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn plug(mut self, upstream: UpstreamConfig) -> Self {
        self.upstreams.push(upstream);
        self
    }

    pub(crate) fn store(mut self, kv: Kv) -> Self {
        self.kv = Some(kv);
        self
    }

    pub(crate) async fn start(self, mesh: Mesh) -> World {
        // Traces live in spans, and spans in a subscriber; another test may have set it already.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let (clock, auth_life, lifecycle) = (mesh.clock.clone(), Lifecycle::new(), Lifecycle::new());
        let auth = Arc::new(Auth::new(clock.clone()));
        let auth_address = auth.clone().serve(&mesh, &auth_life).await;
        let mut settings = vec![
            ("GATEWAY_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("GATEWAY_OPS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("AUTH_UPSTREAM".to_owned(), auth_address.to_string()),
            ("PUBLIC_URL".to_owned(), ISSUER.to_owned()),
        ];
        settings.extend(self.settings);
        let mut source =
            Source::from_pairs(&[chassis::DEFAULTS, gateway::config::DEFAULTS], settings).unwrap();
        let mut config = Config::read(&mut source);
        source.finish().unwrap();
        config.upstreams = self.upstreams;
        let kv = self.kv.unwrap_or_else(|| Kv::memory(clock.clone()));
        let parts = gateway::Parts {
            kv: kv.clone(),
            fanout: Fanout::memory(),
            clock: clock.clone(),
            ids: Ids::random(),
            identity: mesh.identity("gateway"),
            lifecycle: lifecycle.clone(),
        };
        let gateway = gateway::build(config, parts).await.unwrap();
        let edge = gateway.addr();
        lifecycle.spawn("gateway", gateway.run());
        World { edge, auth, kv, clock, lifecycle, auth_life, _mesh: mesh }
    }
}

impl Mesh {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test begins now and moves the clock itself from there"
        )]
        let clock = Clock::manual(chrono::Utc::now());
        let dir = TempDir::new().unwrap();
        certs::dev::ensure(dir.path(), &["gateway", "auth", "notify", "shop"], &clock).unwrap();
        Self { dir, clock }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        Identity::open(self.dir.path().join(name), self.clock.clone()).unwrap()
    }

    /// Serves routes of a service; where it listens.
    pub(crate) async fn serve(
        &self,
        name: &str,
        policy: Policy,
        routes: Routes,
        keys: KeySource,
        life: &Lifecycle,
    ) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passports = Verifier::new(keys, self.clock.clone());
        let server = Server { identity: self.identity(name), policy, passports };
        let ends = life.clone();
        life.spawn("server", async move { server.serve(listener, routes, &ends).await.unwrap() });
        address
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Plan::default().start(Mesh::new()).await
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        ask.send(self.edge).await
    }

    /// `GET /me` with a token.
    pub(crate) async fn me(&self, token: &str) -> Answer {
        self.ask(Ask::get("/me").token(token)).await
    }

    /// A good token.
    pub(crate) fn token(&self) -> String {
        self.auth.token(&json!({}), &json!({}))
    }

    /// Publishes the access state that agrees with what auth answers.
    pub(crate) async fn publish_access(&self) {
        let access = format!("3 active {USER} USER");
        self.put(&kv::access_key(SESSION), &access).await;
        self.put(&kv::user_version_key(USER), &VERSION.to_string()).await;
        self.put(&kv::role_version_key(TENANT, "USER"), "5").await;
    }

    pub(crate) async fn put(&self, key: &str, value: &str) {
        self.kv.set(key, value, MINUTE).await.unwrap();
    }

    /// A `GET /me` that has reached auth and waits there for a permit of the gate.
    pub(crate) async fn hold_me(&self) -> JoinSet<Answer> {
        self.auth.gate.forget_permits(Semaphore::MAX_PERMITS);
        let mut held = JoinSet::new();
        held.spawn(Ask::get("/me").token(&self.token()).send(self.edge));
        let begun = tokio::time::timeout(SOON, self.auth.begun.acquire()).await;
        begun.expect("the request reaches auth").unwrap().forget();
        held
    }

    /// Auth goes away, and its listener with it.
    pub(crate) async fn stop_auth(&self) {
        self.auth_life.shutdown();
        self.auth_life.wait(MINUTE).await.unwrap();
    }
}
