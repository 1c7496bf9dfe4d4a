//! The world of a story: a directory, one user, one database, and as many processes of notify on it as
//! the story needs.

use std::time::Duration;

use chassis::db::{DbConfig, connect};
use chassis::{Clock, Fanout, Ids, Lifecycle, Listeners, Source};
use chrono::{DateTime, Utc};
use mesh::Policy;
use notify::config::{Config, DEFAULTS};
use notify::{Notify, Parts};
use proto::auth::{Contact, RevealSecretResponse};
use proto::notify::event_service_server::EventService;
use proto::notify::{Event, PublishRequest};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;
use testkit::identities::Mesh;
use testkit::proxy::Proxy;
use tokio::sync::OnceCell;
use tonic::Request;
use uuid::Uuid;

use crate::directory::Directory;

pub(crate) const USER: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);
pub(crate) const TENANT: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0002);
pub(crate) const ADDRESS: &str = "ana@example.org";
pub(crate) const TOKEN: &str = "sel3ctor.V3rySecretVerifier";
pub(crate) const CODE: &str = "731905";

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) directory: Directory,
    /// The way to the directory.
    pub(crate) road: Proxy,
    pub(crate) mesh: Mesh,
    pub(crate) data: TempDir,
    /// The way to open windows.
    pub(crate) fanout: Fanout,
    database_url: String,
    connection: OnceCell<DatabaseConnection>,
}

impl World {
    pub(crate) async fn new(database_url: &str) -> World {
        let mesh = Mesh::new(&["auth", "notify", "gateway"]);
        let directory = Directory::start(&mesh).await;
        let road = Proxy::start(directory.addr.to_string()).await;
        let clock = Clock::manual("2026-11-20T15:42:07Z".parse::<DateTime<Utc>>().unwrap());
        let world = World {
            clock,
            directory,
            road,
            mesh,
            data: tempfile::tempdir().unwrap(),
            fanout: Fanout::memory(),
            database_url: database_url.to_owned(),
            connection: OnceCell::new(),
        };
        world.directory.knows(contact());
        world
    }

    /// One more process on the same database, whose mails leave by `smtp_url`.
    pub(crate) async fn notify(&self, smtp_url: &str) -> Notify {
        self.notify_with(smtp_url, &[]).await
    }

    pub(crate) async fn notify_with(&self, smtp_url: &str, more: &[(&str, &str)]) -> Notify {
        let folder = self.data.path().to_str().unwrap();
        let upstream = self.road.address().to_string();
        let own = [
            ("PLATFORM_DATA_DIR", folder),
            ("NOTIFY_DATABASE_URL", &self.database_url),
            ("NOTIFY_LISTEN", "127.0.0.1:0"),
            ("NOTIFY_OPS_LISTEN", "127.0.0.1:0"),
            ("PUBLIC_URL", "https://example.org/"),
            ("AUTH_UPSTREAM", &upstream),
            ("SMTP_URL", smtp_url),
        ];
        let pairs = own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut source = Source::from_pairs(&[chassis::DEFAULTS, DEFAULTS], pairs).unwrap();
        let config = Config::read(&mut source);
        source.finish().unwrap();
        let listeners = Listeners::bind(config.listen, config.ops_listen).await.unwrap();
        notify::build(config, self.parts(listeners)).await.unwrap()
    }

    fn parts(&self, listeners: Listeners) -> Parts {
        Parts {
            listeners,
            fanout: self.fanout.clone(),
            clock: self.clock.clone(),
            ids: Ids::random(),
            identity: self.mesh.identity("notify"),
            policy: Policy::parse(include_str!("../../../certs/policy.toml")).unwrap(),
            lifecycle: Lifecycle::new(),
        }
    }

    async fn connection(&self) -> &DatabaseConnection {
        let connect =
            async || connect(&DbConfig::new(self.database_url.clone().into(), "notify")).await.unwrap();
        self.connection.get_or_init(connect).await
    }

    /// The first column of every row, as text.
    pub(crate) async fn select(&self, sql: &str) -> Vec<String> {
        let connection = self.connection().await;
        let rows =
            connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await;
        rows.unwrap().iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    }

    /// The status of the story's one delivery.
    pub(crate) async fn status(&self) -> String {
        let statuses = self.select("SELECT status FROM delivery").await;
        assert_eq!(statuses.len(), 1, "one delivery: {statuses:?}");
        statuses[0].clone()
    }

    /// The outcomes of its attempts, in order.
    pub(crate) async fn outcomes(&self) -> Vec<String> {
        self.select("SELECT outcome FROM attempt ORDER BY number").await
    }

    /// Waits until a worker has claimed the story's one delivery.
    pub(crate) async fn until_claimed(&self) {
        let mut glance = tokio::time::interval(Duration::from_millis(10));
        while self.select("SELECT CAST(fence AS text) FROM job WHERE queue = 'delivery'").await != ["1"] {
            glance.tick().await;
        }
    }

    /// Everything that is stored, as text.
    pub(crate) async fn everything_stored(&self) -> String {
        let connection = self.connection().await;
        let mut stored = String::new();
        for table in ["event", "delivery", "attempt", "job", "notification"] {
            let sql = match connection.get_database_backend() {
                DbBackend::Postgres => format!("SELECT CAST({table} AS text) FROM {table}"),
                _ => format!("SELECT {} FROM {table}", columns(table)),
            };
            stored.push_str(&self.select(&sql).await.join("\n"));
        }
        stored
    }
}

fn columns(table: &str) -> &'static str {
    match table {
        "event" => "type || data || coalesce(secret_reference, '')",
        "delivery" => "channel || status",
        "attempt" => "outcome || detail",
        "notification" => "type || title || body || data",
        _ => "coalesce(payload, '') || coalesce(last_error, '')",
    }
}

pub(crate) fn contact() -> Contact {
    Contact {
        user_id: USER.to_string(),
        tenant_id: TENANT.to_string(),
        email: Some(ADDRESS.to_owned()),
        locale: "en".to_owned(),
        display_name: Some("Ana".to_owned()),
        ..Default::default()
    }
}

pub(crate) fn secret() -> RevealSecretResponse {
    RevealSecretResponse { token: TOKEN.to_owned(), code: Some(CODE.to_owned()), expires_in: 86_400 }
}

/// An event of this type that concerns the story's user.
pub(crate) fn event(event_type: &str) -> Event {
    Event {
        id: Ids::random().uuid(DateTime::UNIX_EPOCH).to_string(),
        tenant_id: TENANT.to_string(),
        r#type: event_type.to_owned(),
        user_ids: vec![USER.to_string()],
        data: None,
        secret_reference: None,
        occurred_at: Some(prost_types::Timestamp { seconds: 1_795_000_000, nanos: 0 }),
    }
}

/// Tells an event; whether it was taken before.
pub(crate) async fn publish(notify: &Notify, event: &Event) -> bool {
    let request = Request::new(PublishRequest { event: Some(event.clone()) });
    notify.events().publish(request).await.unwrap().into_inner().duplicate
}
