//! Gateways that share an auth, a notify, a store and a fan-out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, Fanout, Ids, Kv, Lifecycle, Source};
use gateway::config::Config;
use gateway::ws::Sockets;
use mesh::passport::KeySource;
use proto::notify::Push;
use serde_json::{Value, json};
use uuid::Uuid;

use super::notify::{self, Notify};
use super::window::Window;
use crate::auth::{Auth, ISSUER, SESSION, USER};
use crate::world::Mesh;

/// Where nobody listens.
pub(crate) const NOWHERE: &str = "127.0.0.1:9";

/// What gateways share.
pub(crate) struct Stage {
    pub(crate) auth: Arc<Auth>,
    pub(crate) notify: Arc<Notify>,
    pub(crate) fanout: Fanout,
    pub(crate) kv: Kv,
    pub(crate) clock: Clock,
    mesh: Mesh,
    upstreams: [(String, String); 2],
    /// The life of auth and notify.
    _behind: Lifecycle,
}

/// One gateway.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) life: Lifecycle,
    pub(crate) sockets: Arc<Sockets>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Fanout::memory()).await
    }

    pub(crate) async fn with(fanout: Fanout) -> Self {
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let (mesh, behind) = (Mesh::new(), Lifecycle::new());
        let clock = mesh.clock();
        let (auth, notify) = (Arc::new(Auth::new(clock.clone())), Arc::new(Notify::default()));
        let keys = KeySource::fixed(vec![auth.signer.verifying_key()]);
        let upstreams = [
            ("AUTH_UPSTREAM".to_owned(), auth.clone().serve(&mesh, &behind).await.to_string()),
            ("NOTIFY_UPSTREAM".to_owned(), notify.serve(&mesh, keys, &behind).await.to_string()),
        ];
        let kv = Kv::memory(clock.clone());
        let stage = Self { auth, notify, fanout, kv, clock, mesh, upstreams, _behind: behind };
        stage.say_active(SESSION).await;
        stage
    }

    /// A gateway with these settings.
    pub(crate) async fn gate(&self, settings: &[(&str, &str)]) -> Gate {
        self.gate_on(self.fanout.clone(), settings).await
    }

    /// The same with its own connection to the fan-out.
    pub(crate) async fn gate_on(&self, fanout: Fanout, settings: &[(&str, &str)]) -> Gate {
        let own = [
            ("GATEWAY_LISTEN", "127.0.0.1:0"),
            ("GATEWAY_OPS_LISTEN", "127.0.0.1:0"),
            ("PUBLIC_URL", ISSUER),
        ];
        let all = own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let all = all.chain(self.upstreams.clone());
        let mut source = Source::from_pairs(&[chassis::DEFAULTS, gateway::config::DEFAULTS], all).unwrap();
        let config = Config::read(&mut source);
        source.finish().unwrap();
        let life = Lifecycle::new();
        let parts = gateway::Parts {
            kv: self.kv.clone(),
            fanout,
            clock: self.clock.clone(),
            ids: Ids::random(),
            identity: self.mesh.identity("gateway"),
            lifecycle: life.clone(),
        };
        let gateway = gateway::build(config, parts).await.unwrap();
        let (address, sockets) = (gateway.addr(), gateway.sockets());
        life.spawn("gateway", gateway.run());
        Gate { address, life, sockets }
    }

    /// Writes a notification down and tells of it.
    pub(crate) async fn say(&self, title: &str) {
        self.publish(&self.notify.write(title)).await;
    }

    pub(crate) async fn publish(&self, push: &Push) {
        notify::publish(&self.fanout, push).await;
    }

    /// A token whose claims are the good ones, changed by these.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.auth.token(&json!({}), claims)
    }

    /// A token that expires in so many seconds.
    pub(crate) fn token_for(&self, seconds: i64) -> String {
        self.token(&json!({"exp": self.clock.now().timestamp() + seconds}))
    }

    /// Publishes that a session goes on.
    pub(crate) async fn say_active(&self, session: Uuid) {
        self.record(session, &format!("3 active {USER} USER")).await;
    }

    /// Publishes that a session has ended.
    pub(crate) async fn say_ended(&self, session: Uuid) {
        self.record(session, "4 ended").await;
    }

    async fn record(&self, session: Uuid, record: &str) {
        let key = proto::kv::access_key(session);
        self.kv.set(&key, record, Duration::from_mins(1)).await.unwrap();
    }
}

impl Gate {
    /// A window, not signed in yet.
    pub(crate) async fn window(&self) -> Window {
        Window::open(self.address).await
    }

    /// A window that is signed in, and the greeting it got.
    pub(crate) async fn signed_in(&self, token: &str, since: Option<u32>) -> (Window, Value) {
        let mut window = self.window().await;
        let greeting = window.sign_in(token, since).await;
        (window, greeting)
    }
}
