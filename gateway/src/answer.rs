//! Answers on their way out: what a route's success and every failure look like over HTTP.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use http_body_util::Full;
use proto::edge::Access;
use proto::{ErrorCode, ServiceError};

use crate::guard::{headers, rate_limit};
use crate::routes::Route;
use crate::transcode::envelope;
use crate::transcode::printer::Printed;

/// An answer with all of its body.
pub type Response = http::Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: &str = "text/html";

/// The answer of a method.
pub fn success(route: &Route, printed: Printed) -> Response {
    let (body, content_type) = match printed {
        Printed::Json(body) => (Bytes::from(body), JSON),
        Printed::Raw(page) => {
            let content_type = HeaderValue::try_from(page.content_type.as_str());
            let fallback = HeaderValue::from_static("application/octet-stream");
            (Bytes::from(page.data), content_type.unwrap_or(fallback))
        }
    };
    let policy = &route.rpc.policy;
    let mut response = with_body(body, content_type);
    let status =
        u16::try_from(policy.success_status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    let is_page = response.headers()[header::CONTENT_TYPE].as_bytes().starts_with(HTML.as_bytes());
    if is_page {
        headers::confine_page(response.headers_mut());
    }
    let is_common = route.rpc.access == Access::Public && !route.rpc.credential && route.verb == Verb::GET;
    headers::cache(response.headers_mut(), if is_common { policy.cache_max_age_seconds } else { 0 });
    response
}

/// The answer to a failure.
pub fn failure(error: &ServiceError, trace_id: &str) -> Response {
    let mut response = with_body(Bytes::from(envelope::write(error, trace_id)), JSON);
    *response.status_mut() =
        StatusCode::from_u16(error.code().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let head = response.headers_mut();
    headers::cache(head, 0);
    if let Some(wait) = error.retry_after_hint() {
        rate_limit::retry_after(head, wait);
    }
    if error.code().http_status() == 401 {
        head.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // What was not read of the request would be taken for the next one.
    if matches!(
        error.code(),
        ErrorCode::PayloadTooLarge | ErrorCode::RequestTimeout | ErrorCode::HeadersTooLarge
    ) {
        head.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer of `GET /health`.
pub fn health() -> Response {
    let mut response = with_body(Bytes::from_static(b"{\"status\":\"ok\"}"), JSON);
    headers::cache(response.headers_mut(), 0);
    response
}

fn with_body(body: Bytes, content_type: HeaderValue) -> Response {
    let mut head = HeaderMap::with_capacity(16);
    head.insert(header::CONTENT_TYPE, content_type);
    headers::protect(&mut head);
    let mut response = Response::new(Full::new(body));
    *response.headers_mut() = head;
    response
}
