//! Reads a unary request whole where the contract has rules for it, and checks it before any handler
//! sees it; everything else streams through untouched.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use proto::{ErrorCode, ServiceError};
use tonic::body::Body;

use super::methods::Method;

/// The longest message that is read whole, as tonic's own limit.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A gRPC message is preceded by a flag and a length of four bytes.
const PREFIX_BYTES: usize = 5;

pub(super) async fn checked(
    request: Request<Incoming>,
    method: &Method,
) -> Result<Request<Body>, ServiceError> {
    if !method.has_rules() {
        return Ok(request.map(Body::new));
    }
    let (head, body) = request.into_parts();
    let body = Limited::new(body, PREFIX_BYTES + MESSAGE_BYTES_MAX).collect().await;
    let body = body.map_err(|error| ServiceError::new(ErrorCode::PayloadTooLarge).source(error))?.to_bytes();
    method.check(message(&body)?)?;
    Ok(Request::from_parts(head, Body::new(Full::new(body))))
}

/// The one message of a unary request.
fn message(body: &Bytes) -> Result<&[u8], ServiceError> {
    let malformed = |what: &'static str| ServiceError::new(ErrorCode::MalformedRequest).source(what);
    let (prefix, message) = body.split_at_checked(PREFIX_BYTES).ok_or_else(|| malformed("no message"))?;
    let (compressed, length) = match *prefix {
        [flag, a, b, c, d] => (flag != 0, u32::from_be_bytes([a, b, c, d])),
        _ => return Err(malformed("no message")),
    };
    if compressed {
        return Err(
            ServiceError::new(ErrorCode::NotImplemented).source("messages are not compressed in the mesh")
        );
    }
    if usize::try_from(length).ok() != Some(message.len()) {
        return Err(malformed("not exactly one message"));
    }
    Ok(message)
}
