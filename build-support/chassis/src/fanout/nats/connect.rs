//! How NATS is connected to: addresses, credentials, TLS, deadlines, and coming back after an outage.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::fanout::subscription::WAITING_MAX;
use crate::fanout::{ANSWER_TIMEOUT, FanoutError};
use crate::trust;

/// Two unanswered ones and the connection is made anew.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// Commands waiting for a connection, at most.
const COMMANDS_MAX: usize = 8192;

const RECONNECT_MIN: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// The servers of a comma-separated list.
pub(super) fn servers(list: &str) -> Result<Vec<ServerAddr>, FanoutError> {
    urls(list)?.into_iter().map(|url| ServerAddr::from_url(url).map_err(|_| malformed())).collect()
}

/// How the servers of the list are connected to; the first address with credentials has them for all.
pub(super) fn options(list: &str, extra_roots: Option<&Path>) -> Result<ConnectOptions, FanoutError> {
    let options = ConnectOptions::new()
        .retry_on_initial_connect()
        .connection_timeout(ANSWER_TIMEOUT)
        .request_timeout(Some(ANSWER_TIMEOUT))
        .ping_interval(PING_INTERVAL)
        .client_capacity(COMMANDS_MAX)
        .subscription_capacity(WAITING_MAX)
        .reconnect_delay_callback(pause)
        .tls_client_config(tls(extra_roots)?);
    let Some(url) = urls(list)?.into_iter().find(|url| !url.username().is_empty()) else {
        return Ok(options);
    };
    let user = decoded(url.username())?;
    Ok(match url.password() {
        Some(password) => options.user_and_password(user, decoded(password)?),
        None => options.token(user),
    })
}

/// Between two attempts: doubling, never long.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.min(10)).unwrap_or(0);
    RECONNECT_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(RECONNECT_MAX)
}

fn urls(list: &str) -> Result<Vec<Url>, FanoutError> {
    let parts: Vec<&str> = list.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let read = |part: &str| {
        let url = Url::parse(part).ok().filter(|url| matches!(url.scheme(), "nats" | "tls"));
        url.filter(Url::has_host).ok_or_else(malformed)
    };
    if parts.is_empty() { Err(malformed()) } else { parts.into_iter().map(read).collect() }
}

/// The text is not quoted: an address may carry a password.
fn malformed() -> FanoutError {
    FanoutError::misuse("connect", "an address is no nats:// or tls:// URL")
}

fn decoded(text: &str) -> Result<String, FanoutError> {
    percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| malformed())
}

fn tls(extra_roots: Option<&Path>) -> Result<rustls::ClientConfig, FanoutError> {
    let refuse = |problem: String| FanoutError::misuse("connect", problem);
    let roots = trust::roots(extra_roots).map_err(|error| refuse(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_servers_is_read_and_what_is_none_is_refused_without_quoting_it() {
        assert_eq!(servers("nats://a:4222, tls://user:hush@b").unwrap().len(), 2);
        for list in ["", ",", "memory:", "http://user:hush@a", "nats://a,hush", "redis://hush"] {
            let problem = servers(list).unwrap_err().to_string();
            assert!(!problem.contains("hush"), "{problem}");
        }
    }

    #[test]
    fn the_pause_before_a_reconnect_grows_and_stays_short() {
        assert!(pause(1) < pause(2));
        assert_eq!(pause(usize::MAX), RECONNECT_MAX);
    }
}
