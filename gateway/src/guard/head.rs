//! Heads that two programs could read differently are refused: that is how requests are smuggled past
//! one of them (RFC 9112, sections 3.2 and 6.1).

use http::request::Parts;
use http::{HeaderValue, Version, header};
use proto::{ErrorCode, ServiceError};

/// Refuses a head that is ambiguous, or larger than `bytes_max`.
pub fn check(head: &Parts, bytes_max: usize) -> Result<(), ServiceError> {
    if size(head) > bytes_max {
        return Err(ErrorCode::HeadersTooLarge.into());
    }
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(malformed("more than one Host"));
    }
    let host = match (host, head.version) {
        (None, Version::HTTP_11) => return Err(malformed("no Host")),
        (host, _) => host.map(HeaderValue::as_bytes),
    };
    // An absolute form must name the same host; over HTTP/2 that is `:authority`.
    if let (Some(authority), Some(host)) = (head.uri.authority(), host)
        && !authority.as_str().as_bytes().eq_ignore_ascii_case(host)
    {
        return Err(malformed("two different hosts"));
    }
    if !head.uri.path().starts_with('/') {
        return Err(malformed("a target that is no path"));
    }
    Ok(())
}

/// The refusal of a head; the reason is for the log.
pub fn malformed(reason: &'static str) -> ServiceError {
    ServiceError::new(ErrorCode::MalformedRequest).source(reason)
}

/// The head as it was sent, in HTTP/1.1's spelling.
fn size(head: &Parts) -> usize {
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    fields + target + head.method.as_str().len() + 12
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const BYTES_MAX: usize = 32 * 1024;

    fn verdict(version: Version, target: &str, headers: &[(&str, &str)]) -> Option<ErrorCode> {
        let mut request = Request::builder().version(version).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        check(&head, BYTES_MAX).err().map(|error| error.code())
    }

    #[test]
    fn one_host_is_wanted_and_only_one() {
        assert_eq!(verdict(Version::HTTP_11, "/", &[("host", "a")]), None);
        assert_eq!(verdict(Version::HTTP_10, "/", &[]), None);
        assert_eq!(verdict(Version::HTTP_11, "/", &[]), Some(ErrorCode::MalformedRequest));
        let two = [("host", "a"), ("host", "a")];
        assert_eq!(verdict(Version::HTTP_11, "/", &two), Some(ErrorCode::MalformedRequest));
    }

    #[test]
    fn an_absolute_target_names_the_same_host() {
        assert_eq!(verdict(Version::HTTP_11, "http://a/x", &[("host", "A")]), None);
        assert_eq!(
            verdict(Version::HTTP_11, "http://b/x", &[("host", "a")]),
            Some(ErrorCode::MalformedRequest)
        );
    }

    #[test]
    fn a_head_has_a_bound() {
        let long = "x".repeat(BYTES_MAX);
        assert_eq!(
            verdict(Version::HTTP_11, "/", &[("host", "a"), ("x", &long)]),
            Some(ErrorCode::HeadersTooLarge)
        );
    }
}
