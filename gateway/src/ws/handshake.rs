//! From a request to a socket (RFC 6455, section 4.2): who may have one, and how it is handed over.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use proto::{ErrorCode, ServiceError};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Sockets;
use super::close::Close;
use super::connection::Connection;
use super::register::Registered;
use crate::accept;
use crate::answer::{self, Response};
use crate::guard::client_ip::network;
use crate::guard::facts::Facts;

/// What a key is joined to before it is hashed (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION: HeaderValue = HeaderValue::from_static("13");
/// The largest frame, and the largest message, that is read.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Each socket has such a buffer for what it reads, and writes when so much waits.
const BUFFER_BYTES: usize = 4 * 1024;
/// How long the connection may take to be handed over.
const HAND_OVER_MAX: Duration = Duration::from_secs(10);

impl Sockets {
    /// Answers `GET /ws`: with the upgrade, or with why there is none.
    pub fn upgrade(self: &Arc<Self>, head: &Parts, facts: &Facts) -> Result<Response, ServiceError> {
        if head.method != Verb::GET {
            return Ok(method_not_allowed(facts));
        }
        self.origins.check(&head.headers)?;
        let upgrade = head.extensions.get::<OnUpgrade>().cloned();
        let (Some(upgrade), Some(accept)) = (upgrade, accept_key(&head.headers)) else {
            return Ok(upgrade_required(facts));
        };
        if self.lifecycle.is_draining() {
            return Err(ServiceError::unavailable("the process ends"));
        }
        if self.register.len() >= self.bounds.open_max {
            return Err(ServiceError::new(ErrorCode::Overloaded).retry_after(Duration::from_secs(1)));
        }
        let place = self.addresses.enter(network(facts.client_ip));
        let registered = Registered::new(self.clone(), facts.detached(), place);
        let _in_gateway = self.hub.span.enter();
        self.lifecycle.spawn_isolated("socket", open(upgrade, registered));
        Ok(switching(accept))
    }
}

/// What proves that the upgrade was understood; `None` where no WebSocket of our version is asked for.
fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let is_asked = has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket");
    if !is_asked || headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return None;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    if STANDARD.decode(key).ok()?.len() != 16 {
        return None;
    }
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(GUID);
    HeaderValue::try_from(STANDARD.encode(hash.finish())).ok()
}

fn switching(accept: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let head = response.headers_mut();
    head.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    head.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    head.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn method_not_allowed(facts: &Facts) -> Response {
    let mut response = answer::failure(&ErrorCode::MethodNotAllowed.into(), &facts.trace.trace_id());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

fn upgrade_required(facts: &Facts) -> Response {
    let mut response = answer::failure(&ErrorCode::MalformedRequest.into(), &facts.trace.trace_id());
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    let head = response.headers_mut();
    head.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    head.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    head.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
    response
}

/// Takes the connection over and lives on it.
async fn open(upgrade: OnUpgrade, registered: Registered) {
    // A client that went away before it had its socket misses nothing.
    let Ok(Ok(upgraded)) = tokio::time::timeout(HAND_OVER_MAX, upgrade).await else { return };
    let Some((stream, read)) = accept::bare(upgraded) else { return };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let stream = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
    if !registered.has_place() {
        registered.socket.outbox.close(Close::TooMany);
    }
    if registered.sockets.lifecycle.is_draining() {
        registered.socket.outbox.close(Close::Draining);
    }
    Connection::new(stream, registered).live().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, F>(_: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_socket_at_rest_is_small() {
        let task = size_of_future(open);
        assert!(task <= 2048, "{task} bytes, beside the read buffer and the frames that wait");
        let person = size_of_future(crate::ws::person::Person::live);
        assert!(person <= 1024, "{person} bytes");
    }

    #[test]
    fn the_key_of_the_standard_has_the_answer_of_the_standard() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, "keep-alive, Upgrade".parse().unwrap());
        headers.insert(header::UPGRADE, "WebSocket".parse().unwrap());
        headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
        assert_eq!(accept_key(&headers), None);
        headers.insert(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        assert_eq!(accept_key(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
