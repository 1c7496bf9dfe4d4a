//! The settings of auth. Each is documented in `default.toml`, which is the manual.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chassis::Source;
use secrecy::{ExposeSecret, SecretString};

/// The commented defaults.
pub const DEFAULTS: &str = include_str!("default.toml");

/// All sessions of a user must fit into one look at them.
const SESSION_LIMIT_MAX: usize = 500;

/// The settings of auth.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where auth listens for the mesh.
    pub listen: SocketAddr,
    /// Where auth answers its operators.
    pub ops_listen: SocketAddr,
    /// The database.
    pub database_url: SecretString,
    /// How many connections to it.
    pub database_connections: u32,
    /// A PEM file of authorities to trust beside the machine's own.
    pub root_certificates: Option<PathBuf>,
    /// Where the sealing key is, or is to be made.
    pub sealing_key: SealingKey,
    /// Who issues tokens.
    pub public_url: String,
    /// Where notify listens, `host:port` each.
    pub notify_upstream: Vec<String>,
    /// How far two clocks may be apart.
    pub token_leeway: Duration,
    /// How long an access token opens methods.
    pub access_token_ttl: Duration,
    /// How long a session lives without a refresh.
    pub session_idle: Duration,
    /// How long a session lives at all.
    pub session_lifetime: Duration,
    /// For how long a refresh may be repeated.
    pub refresh_leeway: Duration,
    /// How many sessions a user may have.
    pub session_limit: usize,
    /// How long a verification link works.
    pub verify_link_ttl: Duration,
    /// How long a reset link works.
    pub reset_link_ttl: Duration,
    /// Whether users may sign in before their address is proved.
    pub allow_unverified: bool,
    /// What a password's hash costs and how many are computed.
    pub hashing: Hashing,
    /// How long a signing key signs.
    pub key_rotation: Duration,
    /// The first administrator.
    pub admin: Admin,
}

/// Where the sealing key comes from.
#[derive(Clone, Debug)]
pub enum SealingKey {
    /// From configuration.
    Given(SecretString),
    /// From this file, made at the first start.
    File(PathBuf),
}

/// What a password's hash costs and how many are computed.
#[derive(Clone, Copy, Debug)]
pub struct Hashing {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Threads; 0 is one a core.
    pub threads: usize,
    /// How many hashes may wait.
    pub queue: usize,
}

/// The first administrator.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The address.
    pub email: String,
    /// The password; one is made where none is given.
    pub password: Option<SecretString>,
}

impl Config {
    /// Reads the settings; faults are kept in the source.
    pub fn read(source: &mut Source) -> Self {
        let data_dir: PathBuf = source.value("PLATFORM_DATA_DIR");
        let config = Self {
            listen: source.value("AUTH_LISTEN"),
            ops_listen: source.value("AUTH_OPS_LISTEN"),
            database_url: database_url(source, &data_dir),
            database_connections: source.value("AUTH_DATABASE_CONNECTIONS"),
            root_certificates: source.value("SSL_CERT_FILE"),
            sealing_key: match source.value::<Option<SecretString>>("AUTH_SEALING_KEY") {
                Some(key) => SealingKey::Given(key),
                None => SealingKey::File(data_dir.join("auth").join("sealing.key")),
            },
            public_url: source.value::<String>("PUBLIC_URL").trim_end_matches('/').to_owned(),
            notify_upstream: source.value("NOTIFY_UPSTREAM"),
            token_leeway: source.value("AUTH_TOKEN_LEEWAY"),
            access_token_ttl: source.value("AUTH_ACCESS_TOKEN_TTL"),
            session_idle: source.value("AUTH_REFRESH_TOKEN_TTL"),
            session_lifetime: source.value("AUTH_SESSION_LIFETIME"),
            refresh_leeway: Duration::from_secs(source.value("REFRESH_LEEWAY_SECONDS")),
            session_limit: source.value("SESSION_LIMIT"),
            verify_link_ttl: source.value("AUTH_VERIFY_LINK_TTL"),
            reset_link_ttl: source.value("AUTH_RESET_LINK_TTL"),
            allow_unverified: source.value("AUTH_ALLOW_UNVERIFIED"),
            hashing: Hashing {
                memory_kib: source.value("AUTH_HASH_MEMORY_KIB"),
                passes: source.value("AUTH_HASH_PASSES"),
                threads: source.value("AUTH_HASH_THREADS"),
                queue: source.value("AUTH_HASH_QUEUE"),
            },
            key_rotation: source.value("AUTH_KEY_ROTATION"),
            admin: Admin { email: source.value("ADMIN_EMAIL"), password: source.value("ADMIN_PASSWORD") },
        };
        config.judge(source);
        config
    }

    fn judge(&self, source: &mut Source) {
        if self.session_limit == 0 || self.session_limit > SESSION_LIMIT_MAX {
            source.fault("SESSION_LIMIT", "is out of range, expected 1 to 500");
        }
        if self.access_token_ttl < Duration::from_mins(1) || self.access_token_ttl > Duration::from_hours(1) {
            source.fault("AUTH_ACCESS_TOKEN_TTL", "is out of range, expected 1m to 1h");
        }
        if self.session_idle < self.access_token_ttl {
            source.fault("AUTH_REFRESH_TOKEN_TTL", "is shorter than AUTH_ACCESS_TOKEN_TTL, expected longer");
        }
        if self.refresh_leeway > Duration::from_mins(1) {
            source.fault("REFRESH_LEEWAY_SECONDS", "is over 60: a stolen token would have that long");
        }
        if self.hashing.memory_kib < 8 || self.hashing.memory_kib > 1 << 20 {
            source.fault("AUTH_HASH_MEMORY_KIB", "is out of range, expected 8 to 1048576");
        }
        if self.hashing.passes == 0 || self.hashing.passes > 20 {
            source.fault("AUTH_HASH_PASSES", "is out of range, expected 1 to 20");
        }
        if proto::canonical::email(&self.admin.email).is_none() {
            source.fault("ADMIN_EMAIL", "is no e-mail address");
        }
    }
}

fn database_url(source: &mut Source, data_dir: &std::path::Path) -> SecretString {
    let given: Option<SecretString> = source.value("AUTH_DATABASE_URL");
    let url = given.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("auth.sqlite").display()).into());
    let known = ["postgres://", "postgresql://", "sqlite://"];
    if !known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
        source.fault("AUTH_DATABASE_URL", "has an unknown scheme, expected postgres:// or sqlite://");
    }
    url
}
