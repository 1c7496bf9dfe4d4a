//! The origins whose pages may open sockets: the edge's own and those it was told. Clients that are no
//! browsers have none.

use http::{HeaderMap, header};
use proto::{ErrorCode, ServiceError};
use url::Url;

/// The origins that are known.
pub(super) struct Origins(Vec<String>);

impl Origins {
    /// These, and that of the edge as the outside knows it.
    pub(super) fn new(public_url: &str, others: &[String]) -> Self {
        let all = others.iter().map(String::as_str).chain([public_url]);
        Self(all.filter_map(|text| Url::parse(text).ok()).map(|url| serialized(&url)).collect())
    }

    /// Refuses a page of another origin.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), ServiceError> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_known = origin.is_some_and(|origin| {
            self.0.contains(&serialized(&origin)) || host.is_some_and(|host| is_at(&origin, host))
        });
        if is_known { Ok(()) } else { Err(ErrorCode::PermissionDenied.into()) }
    }
}

fn serialized(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether a page comes from where this request was sent.
fn is_at(origin: &Url, host: &str) -> bool {
    let here = Url::parse(&format!("{}://{host}", origin.scheme()));
    matches!(origin.scheme(), "http" | "https") && here.is_ok_and(|here| here.origin() == origin.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(origin: &str, host: &str) -> bool {
        let origins = Origins::new("https://edge.example", &["https://app.example".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::HOST, host.parse().unwrap());
        origins.check(&headers).is_err()
    }

    #[test]
    fn pages_of_the_edge_and_of_known_origins_may_open_sockets() {
        for origin in ["https://edge.example", "https://app.example", "https://APP.example:443"] {
            assert!(!refused(origin, "10.0.0.1:8080"), "{origin}");
        }
        assert!(!refused("http://localhost:8080", "localhost:8080"));
        assert!(!refused("http://localhost", "localhost:80"));
    }

    #[test]
    fn pages_from_elsewhere_may_not() {
        for origin in [
            "https://evil.example",
            "http://app.example",
            "https://app.example.evil.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "null",
            "file:///",
            "",
        ] {
            assert!(refused(origin, "localhost:8080"), "{origin}");
        }
    }
}
