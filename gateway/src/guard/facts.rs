//! What is known of a request before it is judged: its ids, and what its client said of itself. These
//! facts travel into the mesh; headers of those names from outside do not.

use std::net::IpAddr;

use chassis::trace::TraceContext;
use chassis::{Clock, Ids};
use http::{HeaderMap, HeaderValue, header};
use proto::metadata;

use super::tenant::Wish;

const REQUEST_ID_BYTES_MAX: usize = 128;
const AGENT_BYTES_MAX: usize = 512;
const LANGUAGE_BYTES_MAX: usize = 256;

/// The facts of one request.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The request's id: the client's where well-formed, else made.
    pub request_id: HeaderValue,
    /// The trace: the client's where well-formed, else a new one.
    pub trace: TraceContext,
    /// The client's address.
    pub client_ip: IpAddr,
    /// The client's `User-Agent`, bounded.
    pub agent: Option<HeaderValue>,
    /// The languages the client prefers, bounded.
    pub language: Option<HeaderValue>,
    /// The tenant asked for.
    pub tenant: Option<Wish>,
}

impl Facts {
    /// Reads the head of a request from the client at `client_ip`.
    pub fn read(headers: &HeaderMap, client_ip: IpAddr, ids: &Ids, clock: &Clock) -> Self {
        let trace = headers.get(metadata::TRACEPARENT).and_then(|value| value.to_str().ok());
        // Whether strangers want their traces kept is not theirs to decide.
        let trace = trace.and_then(TraceContext::parse).map(TraceContext::unsampled);
        Self {
            request_id: request_id(headers).unwrap_or_else(|| {
                let made = ids.uuid(clock.now()).to_string();
                HeaderValue::try_from(made).unwrap_or(HeaderValue::from_static("unknown"))
            }),
            trace: trace.unwrap_or_else(|| TraceContext::new(ids)),
            client_ip,
            agent: bounded(headers.get(header::USER_AGENT), AGENT_BYTES_MAX),
            language: bounded(headers.get(header::ACCEPT_LANGUAGE), LANGUAGE_BYTES_MAX),
            tenant: Wish::read(headers),
        }
    }

    /// The same with bytes of its own: what was read of a head lies in the buffer of all of it, which a
    /// socket would keep for its whole life.
    #[must_use]
    pub fn detached(&self) -> Self {
        let own = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
        Self {
            request_id: own(&self.request_id).unwrap_or(HeaderValue::from_static("unknown")),
            agent: self.agent.as_ref().and_then(own),
            language: self.language.as_ref().and_then(own),
            ..self.clone()
        }
    }

    /// The request's id as text.
    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// The tenant asked for, by its id or its short name.
    pub fn tenant_asked(&self) -> Option<&HeaderValue> {
        self.tenant.as_ref().and_then(Wish::name)
    }

    /// The head of a call made for this request; `passport` where the caller is known.
    pub fn metadata(&self, passport: Option<&HeaderValue>) -> HeaderMap {
        let mut head = HeaderMap::with_capacity(16);
        head.insert(metadata::REQUEST_ID, self.request_id.clone());
        if let Ok(ip) = HeaderValue::try_from(self.client_ip.to_string()) {
            head.insert(metadata::CLIENT_IP, ip);
        }
        // A token fixes the tenant; a wish beside it was compared already.
        let tenant = if passport.is_some() { None } else { self.tenant_asked() };
        let optional = [
            (metadata::PASSPORT, passport),
            (metadata::CLIENT_AGENT, self.agent.as_ref()),
            (metadata::LANGUAGE, self.language.as_ref()),
            (metadata::TENANT, tenant),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                head.insert(name, value.clone());
            }
        }
        head
    }
}

fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(metadata::REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let well_formed = (1..=REQUEST_ID_BYTES_MAX).contains(&value.len()) && value.as_bytes().iter().all(plain);
    well_formed.then(|| value.clone())
}

/// The visible ASCII of a header, cut to its bound.
fn bounded(value: Option<&HeaderValue>, bytes_max: usize) -> Option<HeaderValue> {
    let value = value?;
    let bytes = value.as_bytes();
    let plain = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    if plain && bytes.len() <= bytes_max {
        return Some(value.clone());
    }
    let kept: Vec<u8> =
        bytes.iter().copied().filter(|byte| (0x20..0x7f).contains(byte)).take(bytes_max).collect();
    HeaderValue::from_bytes(&kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn facts(pairs: &[(&'static str, &str)]) -> Facts {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        Facts::read(&headers, IpAddr::from([192, 0, 2, 1]), &Ids::seeded(1), &clock)
    }

    #[test]
    fn a_well_formed_request_id_is_kept_and_another_is_replaced() {
        assert_eq!(facts(&[("x-request-id", "a.b_c-9")]).request_id(), "a.b_c-9");
        for text in ["", "a b", "a\u{e9}", &"x".repeat(129)] {
            assert_eq!(facts(&[("x-request-id", text)]).request_id().len(), 36, "{text:?}");
        }
    }

    #[test]
    fn the_trace_goes_on_but_its_sampling_is_ours_to_decide() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = facts(&[("traceparent", header)]).trace;
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(!trace.sampled);
        assert_ne!(facts(&[("traceparent", "00-0-0-01")]).trace.trace_id(), trace.trace_id());
    }

    #[test]
    fn what_the_client_says_is_bounded_and_internal_names_are_ours() {
        let facts =
            facts(&[("user-agent", &"a".repeat(600)), ("x-passport", "forged"), ("x-client-ip", "1.1.1.1")]);
        let head = facts.metadata(None);
        assert_eq!(head["x-client-agent"].len(), 512);
        assert_eq!(head["x-client-ip"], "192.0.2.1");
        assert!(!head.contains_key("x-passport"));
    }
}
