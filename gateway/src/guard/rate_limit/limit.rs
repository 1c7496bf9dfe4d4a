//! A declared limit, checked against its method when the edge starts, and whose bucket a request takes
//! from.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::kv::Bucket;
use http::HeaderValue;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use proto::canonical;
use proto::edge::{Access, Canonical, Policy, RateKey, RateLimit};

use super::seconds_up;
use crate::contract::{field_path, field_policy};
use crate::guard::authenticate::Caller;
use crate::guard::client_ip::network;
use crate::transcode::request::text_at;

/// The limits of a method, by when they can be counted.
#[derive(Debug, Default)]
pub struct Limits {
    stages: [Vec<Limit>; 3],
    pub(super) is_public: bool,
}

/// When a limit can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// As soon as the address is known.
    Address = 0,
    /// Once the caller is known.
    Caller = 1,
    /// Once the request is read.
    Content = 2,
}

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The client's address.
    pub ip: IpAddr,
    /// The tenant asked for.
    pub tenant: Option<&'a HeaderValue>,
    /// The caller, where one is known.
    pub caller: Option<&'a Caller>,
    /// The request, where it is read.
    pub message: Option<&'a DynamicMessage>,
}

/// One limit.
#[derive(Debug)]
pub struct Limit {
    pub(super) name: String,
    pub(super) failures_only: bool,
    keys: Vec<RateKey>,
    field: Vec<FieldDescriptor>,
    canonical: Canonical,
    count: u32,
    window: Duration,
    /// `"login";q=120;w=60`.
    policy: HeaderValue,
}

impl Limits {
    /// Reads the limits of a policy. Fails on one that could never be counted.
    pub fn compile(policy: &Policy, input: &MessageDescriptor) -> Result<Self, String> {
        let is_public = policy.access() == Access::Public;
        let mut limits = Self { is_public, ..Self::default() };
        for declared in &policy.rate_limits {
            let fault = |problem: String| format!("its limit `{}` {problem}", declared.name);
            let limit = Limit::compile(declared, input).map_err(fault)?;
            let stage = limit.stage();
            if is_public && limit.keys.iter().any(|key| matches!(key, RateKey::Caller | RateKey::Tenant)) {
                return Err(fault("counts callers of a public method".to_owned()));
            }
            limits.stages[stage as usize].push(limit);
        }
        Ok(limits)
    }

    /// The limits that are counted at a stage.
    pub fn at(&self, stage: Stage) -> &[Limit] {
        &self.stages[stage as usize]
    }
}

impl Limit {
    fn compile(declared: &RateLimit, input: &MessageDescriptor) -> Result<Self, String> {
        let keys: Vec<RateKey> = declared.keys().collect();
        if keys.is_empty() || keys.contains(&RateKey::Unspecified) {
            return Err("does not say what it counts by".to_owned());
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if declared.name.is_empty() || !declared.name.bytes().all(plain) {
            return Err("has no plain name".to_owned());
        }
        let positive = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
        let bounds = positive(declared.limit).zip(positive(declared.window_seconds));
        let (count, seconds) = bounds.ok_or("has a bound that is not positive")?;
        if keys.contains(&RateKey::Field) == declared.field.is_empty() {
            return Err("names a field without counting by it, or the reverse".to_owned());
        }
        let field = match declared.field.as_str() {
            "" => Vec::new(),
            path => field_path(path, input)?,
        };
        if field.last().is_some_and(|last| last.is_list() || last.kind() != Kind::String) {
            return Err("counts by a field that is no text".to_owned());
        }
        let canonical = field.last().map(|last| field_policy(last).canonical()).unwrap_or_default();
        let policy = HeaderValue::try_from(format!("\"{}\";q={count};w={seconds}", declared.name))
            .map_err(|_| "has no plain name")?;
        Ok(Self {
            name: declared.name.clone(),
            failures_only: declared.failures_only,
            keys,
            field,
            canonical,
            count,
            window: Duration::from_secs(seconds.into()),
            policy,
        })
    }

    fn stage(&self) -> Stage {
        if self.keys.contains(&RateKey::Field) {
            Stage::Content
        } else if self.keys.iter().all(|key| *key == RateKey::Ip) {
            Stage::Address
        } else {
            Stage::Caller
        }
    }

    /// The bucket a request takes from; `None` where the limit does not concern it.
    pub(super) fn bucket(&self, subject: &Subject<'_>) -> Option<Bucket> {
        let mut key = format!("rl:{}", self.name);
        for part in &self.keys {
            key.push(':');
            match part {
                RateKey::Ip => key.push_str(&network(subject.ip).to_string()),
                RateKey::Caller => key.push_str(&subject.caller?.user_id),
                RateKey::Tenant => key.push_str(&subject.caller?.tenant_id),
                RateKey::Field => key.push_str(&self.fingerprint(subject)?),
                // Requests are not made with API keys yet.
                RateKey::ApiKey | RateKey::Unspecified => return None,
            }
        }
        Some(Bucket { key, limit: self.count, window: self.window, cost: 1 })
    }

    /// The field's one spelling within its tenant, hashed: addresses do not lie about in the store, and
    /// one tenant's users are not counted for another's of the same address.
    fn fingerprint(&self, subject: &Subject<'_>) -> Option<String> {
        let text = text_at(subject.message?, &self.field)?;
        let spelling = match self.canonical {
            Canonical::Email => canonical::email(&text),
            Canonical::Phone => canonical::phone(&text),
            Canonical::Unspecified => None,
        };
        // What has no canonical spelling is counted too, or nonsense would be free.
        let spelling = spelling.unwrap_or_else(|| text.trim().to_lowercase());
        let tenant = match subject.caller {
            Some(caller) => caller.tenant_id.as_bytes(),
            None => subject.tenant.map_or(&[][..], HeaderValue::as_bytes),
        };
        let mut hash = digest::Context::new(&digest::SHA256);
        // No tenant's name has a zero in it.
        for part in [tenant, b"\0", spelling.as_bytes()] {
            hash.update(part);
        }
        Some(URL_SAFE_NO_PAD.encode(hash.finish()))
    }

    /// The headers that say how much is left, and for how long.
    pub(super) fn headers(&self, remaining: u32, wait: Duration) -> Option<(HeaderValue, HeaderValue)> {
        let limit = format!("\"{}\";r={remaining};t={}", self.name, seconds_up(wait));
        Some((HeaderValue::try_from(limit).ok()?, self.policy.clone()))
    }
}
