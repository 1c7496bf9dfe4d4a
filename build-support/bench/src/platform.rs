//! The platform under load: gateway, auth and notify as processes of their own, with identities, stores and
//! a broker that nobody else uses. All of it ends with the value.

mod program;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use clap::ValueEnum;
use mesh::{Channel, Upstream};
use tempfile::TempDir;
use testkit::identities::Mesh;
use testkit::nats::Nats;
use testkit::postgres::Server;
use testkit::redis::Redis;

use crate::bare::{HASH_MEMORY_KIB, HASH_PASSES};
use crate::{Failure, cpu};
pub use program::Program;

/// Where auth and notify keep their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    /// A server of their own.
    Postgres,
    /// Files.
    Sqlite,
}

impl Database {
    /// What a report calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL and Redis",
            Self::Sqlite => "SQLite and Redis",
        }
    }
}

/// What a password costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashes {
    /// As much as by default.
    Dear,
    /// Next to nothing, where only the tokens matter.
    Cheap,
}

impl Hashes {
    fn memory_kib(self) -> u32 {
        match self {
            Self::Dear => HASH_MEMORY_KIB,
            Self::Cheap => 8,
        }
    }
}

/// The running platform. Programs end before the stores they use.
pub struct Platform {
    /// Where REST is served.
    pub edge: SocketAddr,
    auth: SocketAddr,
    _programs: Vec<Program>,
    mesh: Mesh,
    stores: Stores,
    _folder: TempDir,
}

/// What the services keep things in, and send things through.
struct Stores {
    redis: Redis,
    nats: Nats,
    postgres: Option<Server>,
}

/// The ports of one service.
struct Ports {
    service: SocketAddr,
    ops: SocketAddr,
}

impl Platform {
    /// Starts everything and waits until it is ready.
    pub async fn start(database: Database, hashes: Hashes) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("platform-bench-").tempdir()?;
        let mesh = Mesh::new(&["gateway", "auth", "notify"]);
        let stores = Stores::start(database);
        let (gateway, auth, notify) = (Ports::free()?, Ports::free()?, Ports::free()?);
        let mut programs = Vec::new();
        for (name, ports) in [("notify", &notify), ("auth", &auth), ("gateway", &gateway)] {
            let mut settings = stores.settings(name);
            settings.extend(ports.settings(name));
            let shared = [
                ("PLATFORM_DATA_DIR", folder.path().display().to_string()),
                ("LOG_FORMAT", "json".to_owned()),
                ("MESH_CERT_DIR", mesh.service_dir(name).display().to_string()),
                ("PUBLIC_URL", format!("http://{}", gateway.service)),
                ("AUTH_UPSTREAM", auth.service.to_string()),
                ("NOTIFY_UPSTREAM", notify.service.to_string()),
            ];
            settings.extend(
                shared
                    .into_iter()
                    .chain(own_settings(name, hashes))
                    .map(|(name, value)| (name.into(), value)),
            );
            programs.push(Program::start(&binary(name)?, settings, folder.path())?);
        }
        for (program, ports) in programs.iter_mut().zip([&notify, &auth, &gateway]) {
            program.wait_until_ready(ports.ops).await?;
        }
        let (edge, auth) = (gateway.service, auth.service);
        Ok(Self { edge, auth, _programs: programs, mesh, stores, _folder: folder })
    }

    /// Where the broker is.
    pub fn nats_url(&self) -> String {
        self.stores.nats.url()
    }

    /// A channel to auth with the gateway's identity.
    pub fn channel_to_auth(&self) -> Channel {
        let upstream = Upstream {
            name: "auth".to_owned(),
            addresses: vec![self.auth.to_string()],
            identity: self.mesh.spiffe_id("auth"),
        };
        Channel::new(self.mesh.identity("gateway"), upstream)
    }
}

type Settings = Vec<(String, String)>;

impl Stores {
    fn start(database: Database) -> Self {
        let postgres = (database == Database::Postgres).then(Server::start);
        Self { redis: Redis::start(), nats: Nats::start(), postgres }
    }

    fn settings(&self, service: &str) -> Settings {
        let mut settings =
            vec![("REDIS_URL".to_owned(), self.redis.url()), ("NATS_URL".to_owned(), self.nats.url())];
        // Without a server, rows are kept in a file in the data folder.
        if let Some(server) = &self.postgres {
            settings.push((format!("{}_DATABASE_URL", service.to_uppercase()), server.url()));
        }
        settings
    }
}

/// What is set other than by default. Sign-ins neither wait for mails nor end older sessions; and who
/// calls may say from where.
fn own_settings(service: &str, hashes: Hashes) -> Vec<(&'static str, String)> {
    match service {
        "gateway" => vec![("TRUSTED_PROXIES", "127.0.0.0/8".to_owned())],
        "auth" => vec![
            ("AUTH_ALLOW_UNVERIFIED", "true".to_owned()),
            ("SESSION_LIMIT", "500".to_owned()),
            ("AUTH_HASH_MEMORY_KIB", hashes.memory_kib().to_string()),
            ("AUTH_HASH_PASSES", HASH_PASSES.to_string()),
            ("AUTH_HASH_THREADS", cpu::cores().to_string()),
        ],
        _ => Vec::new(),
    }
}

/// The program of this name beside our own.
fn binary(name: &str) -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.is_file() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}

impl Ports {
    /// Two that nobody uses at this moment.
    fn free() -> Result<Self, Failure> {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (service, ops) = (bind()?, bind()?);
        Ok(Self { service: service.local_addr()?, ops: ops.local_addr()? })
    }

    fn settings(&self, service: &str) -> Settings {
        let prefix = service.to_uppercase();
        vec![
            (format!("{prefix}_LISTEN"), self.service.to_string()),
            (format!("{prefix}_OPS_LISTEN"), self.ops.to_string()),
        ]
    }
}
