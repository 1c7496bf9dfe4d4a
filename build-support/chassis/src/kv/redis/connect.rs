//! How Redis is connected to: addresses, TLS, deadlines, and coming back after an outage.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fred::clients::Pool;
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike as _;
use fred::types::Builder;
use fred::types::config::{Config, ReconnectPolicy, TlsConfig, TlsConnector, UnresponsiveConfig};

use crate::kv::{COMMAND_TIMEOUT, KvError};
use crate::trust;

/// Connections a process keeps; each carries any number of commands at once.
const POOL_SIZE: usize = 3;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the start waits for a first connection before it goes on without.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// A command unanswered for this long means a dead connection.
const UNRESPONSIVE: Duration = Duration::from_secs(2);

/// Commands waiting for a connection, at most.
const WAITING_MAX: usize = 10_000;

/// The pool, connecting in the background, and whether a cluster is behind it.
pub(super) async fn pool(url: &str, extra_roots: Option<&Path>) -> Result<(Pool, bool), KvError> {
    let mut config = config(url)?;
    // A server that is not there yet is no reason to stop trying.
    config.fail_fast = false;
    if config.tls.is_some() {
        config.tls = Some(tls(extra_roots)?);
    }
    let clustered = config.server.is_clustered();
    let pool = builder(config).build_pool(POOL_SIZE).map_err(|error| KvError::redis("connect", error))?;
    pool.connect_pool();
    if tokio::time::timeout(FIRST_CONNECTION, pool.wait_for_connect()).await.is_err() {
        tracing::warn!("the key-value store is not reachable yet, connecting in the background");
    }
    Ok((pool, clustered))
}

/// Whether an error means that the server is away, rather than that it refused this one command.
pub(super) fn is_outage(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::IO
            | ErrorKind::Timeout
            | ErrorKind::Canceled
            | ErrorKind::Backpressure
            | ErrorKind::Routing
            | ErrorKind::Cluster
            | ErrorKind::Sentinel
            | ErrorKind::Tls
            | ErrorKind::Auth
    )
}

fn builder(config: Config) -> Builder {
    let mut builder = Builder::from_config(config);
    builder.with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT);
    builder.with_connection_config(|connection| {
        connection.connection_timeout = CONNECT_TIMEOUT;
        connection.internal_command_timeout = CONNECT_TIMEOUT;
        // A script sent twice would charge or count twice: an unknown outcome is the caller's to judge.
        connection.max_command_attempts = 1;
        connection.max_command_buffer_len = WAITING_MAX;
        connection.reconnect_on_auth_error = true;
        connection.tcp.nodelay = Some(true);
        connection.unresponsive =
            UnresponsiveConfig { max_timeout: Some(UNRESPONSIVE), interval: Duration::from_millis(500) };
    });
    // For ever, from 50 ms up to 1 s apart.
    builder.set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2));
    builder
}

fn tls(extra_roots: Option<&Path>) -> Result<TlsConfig, KvError> {
    let refuse = |problem: String| KvError::misuse("connect", problem);
    let roots = trust::roots(extra_roots).map_err(|error| refuse(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConfig::from(TlsConnector::from(config)))
}

/// Reads the address. The library takes any scheme, and its errors may quote a password.
fn config(url: &str) -> Result<Config, KvError> {
    let scheme = url.split(':').next().unwrap_or_default();
    let known = ["redis", "rediss"].iter().any(|kind| {
        scheme.strip_prefix(kind).is_some_and(|form| ["", "-cluster", "-sentinel"].contains(&form))
    });
    known.then(|| Config::from_url(url).ok()).flatten().ok_or_else(|| {
        KvError::misuse(
            "connect",
            "the address is no redis://, rediss://, redis-cluster:// or redis-sentinel:// URL",
        )
    })
}
