//! The world of a story: a database, a KV, notify, and auth between them, reached as the gateway and
//! notify reach it.

use std::time::Duration;

use chassis::{Clock, Kv};
use chrono::{DateTime, Utc};
use testkit::identities::Mesh;

use crate::notify::Notify;
use crate::process::{Process, Start, Store};
use crate::store::Rows;
use crate::voices::Voice;

pub(crate) const ANA: &str = "ana@example.org";
pub(crate) const BOB: &str = "bob@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const NEW_PASSWORD: &str = "staple of another kind";
pub(crate) const ADMIN: &str = "admin@localhost";
pub(crate) const ADMIN_PASSWORD: &str = "an entrance for the first";
pub(crate) const SEALING_KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A world; it ends with the value.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) kv: Kv,
    pub(crate) notify: Notify,
    pub(crate) mesh: Mesh,
    pub(crate) rows: Rows,
    pub(crate) auth: Option<Process>,
    pub(crate) gateway: Voice,
    pub(crate) mailer: Voice,
    store: Store,
    settings: Vec<(String, String)>,
}

/// Tells one story on every database.
pub(crate) async fn on_each_database(story: impl AsyncFn(&mut World)) {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        story(&mut World::on(&database, &[]).await).await;
    }
}

impl World {
    /// On this database, with a KV in memory.
    pub(crate) async fn on(database_url: &str, settings: &[(&str, &str)]) -> World {
        let clock = now();
        let kv = Kv::memory(clock.clone());
        World::build(database_url, Store::Memory(kv), clock, settings).await
    }

    /// On this database, with the KV at `redis_url`.
    pub(crate) async fn with_redis(database_url: &str, redis_url: &str) -> World {
        World::build(database_url, Store::Redis(redis_url.to_owned()), now(), &[]).await
    }

    async fn build(database_url: &str, store: Store, clock: Clock, settings: &[(&str, &str)]) -> World {
        let mesh = Mesh::new(&["auth", "gateway", "notify"]);
        let notify = Notify::start(&mesh).await;
        let upstream = notify.address.to_string();
        let own = [
            ("AUTH_LISTEN", "127.0.0.1:0"),
            ("AUTH_OPS_LISTEN", "127.0.0.1:0"),
            ("AUTH_DATABASE_URL", database_url),
            ("AUTH_SEALING_KEY", SEALING_KEY),
            ("AUTH_HASH_MEMORY_KIB", "64"),
            ("AUTH_HASH_PASSES", "1"),
            ("ADMIN_PASSWORD", ADMIN_PASSWORD),
            ("NOTIFY_UPSTREAM", &upstream),
        ];
        let settings =
            own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = settings.collect();
        let start = Start {
            settings: settings.clone(),
            kv: store.clone(),
            identity: mesh.identity("auth"),
            clock: clock.clone(),
        };
        let auth = Process::start(start).await.unwrap();
        let address = vec![auth.address.to_string()];
        World {
            kv: store.open().await,
            gateway: Voice::of("gateway", &mesh, address.clone()),
            mailer: Voice::of("notify", &mesh, address),
            rows: Rows::open(database_url).await,
            auth: Some(auth),
            clock,
            notify,
            mesh,
            store,
            settings,
        }
    }

    /// One more process on the same database and KV, with these settings instead of the world's.
    pub(crate) async fn another_auth(&self, settings: &[(&str, &str)]) -> Process {
        let changed = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let start = Start {
            settings: self.settings.iter().cloned().chain(changed).collect(),
            kv: self.store.clone(),
            identity: self.mesh.identity("auth"),
            clock: self.clock.clone(),
        };
        Process::start(start).await.unwrap()
    }

    /// The process ends where it stands.
    pub(crate) fn kill_auth(&mut self) {
        self.auth = None;
    }

    /// A new process takes its place.
    pub(crate) async fn start_auth(&mut self, settings: &[(&str, &str)]) {
        let auth = self.another_auth(settings).await;
        let address = vec![auth.address.to_string()];
        self.gateway = Voice::of("gateway", &self.mesh, address.clone());
        self.mailer = Voice::of("notify", &self.mesh, address);
        self.auth = Some(auth);
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn now() -> Clock {
    Clock::manual("2026-11-20T15:42:07Z".parse::<DateTime<Utc>>().unwrap())
}
