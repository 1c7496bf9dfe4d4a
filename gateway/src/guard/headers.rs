//! The security headers of every answer. Which answers may be cached is said by the route.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

/// What a page of ours may do: show itself, styled, and send its forms here.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Puts the headers that every answer has.
pub fn protect(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// Puts what confines a page.
pub fn confine_page(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
}

/// Says for how many seconds anybody may keep the answer; 0 is not at all.
pub fn cache(headers: &mut HeaderMap, max_age_seconds: i32) {
    let value = if max_age_seconds > 0 {
        HeaderValue::try_from(format!("public, max-age={max_age_seconds}")).ok()
    } else {
        None
    };
    headers.insert(CACHE_CONTROL, value.unwrap_or(HeaderValue::from_static("no-store")));
}
