//! The settings of the gateway. Each is documented in `default.toml`, which is the manual.

use std::net::SocketAddr;
use std::time::Duration;

use chassis::Source;
use ipnet::IpNet;

/// The commented defaults of the gateway's own settings; those it shares are in `chassis::DEFAULTS`.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The largest head that is ever read: what lies beyond is not kept in memory.
pub(crate) const HEAD_BYTES_CEILING: usize = 64 * 1024;

/// The settings of the gateway.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the edge serves REST.
    pub listen: SocketAddr,
    /// Where the gateway answers its operators.
    pub ops_listen: SocketAddr,
    /// Where auth listens, `host:port` each.
    pub auth_upstream: Vec<String>,
    /// Where notify listens.
    pub notify_upstream: Vec<String>,
    /// Services that are plugged in.
    pub upstreams: Vec<UpstreamConfig>,
    /// Who issues tokens.
    pub issuer: String,
    /// How far two clocks may be apart.
    pub token_leeway: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What all paths begin with; empty or such as `/api`.
    pub path_prefix: String,
    /// How long things may take.
    pub times: Times,
    /// How much there may be of things.
    pub bounds: Bounds,
    /// The origins whose pages may call the edge, beside its own.
    pub cors_origins: Vec<String>,
    /// How much there may be of sockets.
    pub sockets: SocketBounds,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The head of a request.
    pub head: Duration,
    /// A body.
    pub body: Duration,
    /// A body of which next to nothing comes.
    pub body_grace: Duration,
    /// The rest between two requests.
    pub idle: Duration,
    /// An answer.
    pub answer: Duration,
}

/// How much there may be of things.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address.
    pub connections_per_ip: usize,
    /// Requests under way, and as many whose body is on its way.
    pub requests: usize,
    /// The same of one address.
    pub requests_per_ip: usize,
    /// Remembered tokens.
    pub tokens: u64,
}

/// How much there may be of sockets, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct SocketBounds {
    /// Open sockets.
    pub open_max: usize,
    /// Open sockets of one user.
    pub per_user_max: usize,
    /// Open sockets of one address.
    pub per_address_max: usize,
    /// How long `AUTH` may take to come.
    pub auth_timeout: Duration,
    /// How many sign in a second.
    pub sign_ins_per_second: u32,
}

/// A service that is plugged in: its routes come from its descriptors, below its prefixes.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Its name.
    pub name: String,
    /// Where it listens, `host:port` each.
    pub addresses: Vec<String>,
    /// Who must answer there: a SPIFFE id.
    pub identity: String,
    /// Its encoded `google.protobuf.FileDescriptorSet`, with every option.
    pub descriptor: Vec<u8>,
    /// What all its paths begin with, such as `/billing`.
    pub path_prefix: String,
    /// What all its permissions begin with, such as `billing`.
    pub permission_prefix: String,
}

impl Config {
    /// Reads the settings; faults are kept in the source.
    pub fn read(source: &mut Source) -> Self {
        let config = Self {
            listen: source.value("GATEWAY_LISTEN"),
            ops_listen: source.value("GATEWAY_OPS_LISTEN"),
            auth_upstream: source.value("AUTH_UPSTREAM"),
            notify_upstream: source.value("NOTIFY_UPSTREAM"),
            upstreams: Vec::new(),
            issuer: source.value::<String>("PUBLIC_URL").trim_end_matches('/').to_owned(),
            token_leeway: source.value("AUTH_TOKEN_LEEWAY"),
            trusted_proxies: source.value("TRUSTED_PROXIES"),
            path_prefix: source.value::<Option<String>>("GATEWAY_PATH_PREFIX").unwrap_or_default(),
            times: Times {
                head: source.value("GATEWAY_HEAD_TIMEOUT"),
                body: source.value("GATEWAY_BODY_TIMEOUT"),
                body_grace: source.value("GATEWAY_BODY_GRACE"),
                idle: source.value("GATEWAY_IDLE_TIMEOUT"),
                answer: source.value("GATEWAY_DEADLINE"),
            },
            bounds: Bounds {
                head_bytes: source.value("GATEWAY_HEAD_BYTES_MAX"),
                body_bytes: source.value("GATEWAY_BODY_BYTES_MAX"),
                connections: source.value("GATEWAY_CONNECTIONS_MAX"),
                connections_per_ip: source.value("GATEWAY_CONNECTIONS_PER_IP_MAX"),
                requests: source.value("GATEWAY_REQUESTS_MAX"),
                requests_per_ip: source.value("GATEWAY_REQUESTS_PER_IP_MAX"),
                tokens: u64::from(source.value::<u32>("GATEWAY_TOKENS_REMEMBERED_MAX")),
            },
            cors_origins: source.value("CORS_ORIGINS"),
            sockets: SocketBounds {
                open_max: source.value("GATEWAY_SOCKETS_MAX"),
                per_user_max: source.value("GATEWAY_SOCKETS_PER_USER_MAX"),
                per_address_max: source.value("GATEWAY_SOCKETS_PER_ADDRESS_MAX"),
                auth_timeout: source.value("GATEWAY_SOCKET_AUTH_TIMEOUT"),
                sign_ins_per_second: source.value("GATEWAY_SOCKET_SIGN_INS_PER_SECOND_MAX"),
            },
        };
        config.judge(source);
        config
    }

    fn judge(&self, source: &mut Source) {
        let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let prefix = &self.path_prefix;
        let is_path = prefix.starts_with('/') && !prefix.ends_with('/') && prefix.bytes().all(spelled);
        if !prefix.is_empty() && !is_path {
            source.fault("GATEWAY_PATH_PREFIX", "is no path, expected such as /api");
        }
        if self.bounds.head_bytes < 1024 || self.bounds.head_bytes > HEAD_BYTES_CEILING {
            source.fault("GATEWAY_HEAD_BYTES_MAX", "is out of range, expected 1024 to 65536");
        }
        if self.token_leeway > Duration::from_mins(5) {
            source.fault("AUTH_TOKEN_LEEWAY", "is over 5m: an expired token would have that long");
        }
        let positive = [
            ("GATEWAY_CONNECTIONS_MAX", self.bounds.connections),
            ("GATEWAY_CONNECTIONS_PER_IP_MAX", self.bounds.connections_per_ip),
            ("GATEWAY_REQUESTS_MAX", self.bounds.requests),
            ("GATEWAY_REQUESTS_PER_IP_MAX", self.bounds.requests_per_ip),
            ("AUTH_UPSTREAM", self.auth_upstream.len()),
            ("NOTIFY_UPSTREAM", self.notify_upstream.len()),
            ("GATEWAY_SOCKETS_MAX", self.sockets.open_max),
            ("GATEWAY_SOCKETS_PER_USER_MAX", self.sockets.per_user_max),
            ("GATEWAY_SOCKETS_PER_ADDRESS_MAX", self.sockets.per_address_max),
            ("GATEWAY_SOCKET_SIGN_INS_PER_SECOND_MAX", self.sockets.sign_ins_per_second as usize),
        ];
        for (name, _) in positive.into_iter().filter(|(_, number)| *number == 0) {
            source.fault(name, "is empty or 0: nothing would be served");
        }
        let times = [
            ("GATEWAY_HEAD_TIMEOUT", self.times.head),
            ("GATEWAY_BODY_TIMEOUT", self.times.body),
            ("GATEWAY_BODY_GRACE", self.times.body_grace),
            ("GATEWAY_IDLE_TIMEOUT", self.times.idle),
            ("GATEWAY_DEADLINE", self.times.answer),
            ("GATEWAY_SOCKET_AUTH_TIMEOUT", self.sockets.auth_timeout),
        ];
        for (name, _) in times.into_iter().filter(|(_, time)| time.is_zero()) {
            source.fault(name, "is 0, expected some time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Config, Result<(), String>) {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut source = Source::from_pairs(&[chassis::DEFAULTS, DEFAULTS], pairs).unwrap();
        let config = Config::read(&mut source);
        (config, source.finish().map_err(|faults| faults.to_string()))
    }

    #[test]
    fn the_defaults_are_good() {
        let (config, faults) = read(&[]);
        assert_eq!(faults, Ok(()));
        assert_eq!(config.listen.port(), 8080);
        assert_eq!(config.issuer, "http://127.0.0.1:8080");
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let wrong = [
            ("GATEWAY_PATH_PREFIX", "api/"),
            ("GATEWAY_REQUESTS_MAX", "0"),
            ("TRUSTED_PROXIES", "everybody"),
        ];
        let faults = read(&wrong).1.unwrap_err();
        for (name, _) in wrong {
            assert!(faults.contains(name), "{faults}");
        }
    }
}
