//! SPIFFE ids by the strict rules of the SPIFFE-ID specification; nothing here reads certificates.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::MeshError;

/// The trust domain of a platform that was given no other.
pub const DEFAULT_TRUST_DOMAIN: &str = "platform.local";

const SCHEME: &str = "spiffe://";
const BYTES_MAX: usize = 2048;
const TRUST_DOMAIN_BYTES_MAX: usize = 255;

/// The name of one service: `spiffe://<trust domain>/<path>`, at most 2048 bytes. Authorities' ids,
/// which have no path, are not of this type. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    text: Arc<str>,
    path_at: usize,
}

impl SpiffeId {
    /// The id of the service `name` in a trust domain. Fails where either breaks the rules.
    pub fn new(trust_domain: &str, name: &str) -> Result<Self, MeshError> {
        format!("{SCHEME}{trust_domain}/{name}").parse()
    }

    /// The id of another service of the same trust domain.
    pub fn sibling(&self, name: &str) -> Result<Self, MeshError> {
        Self::new(self.trust_domain(), name)
    }

    /// The trust domain, `platform.local` unless the mesh was given another.
    pub fn trust_domain(&self) -> &str {
        &self.text[SCHEME.len()..self.path_at]
    }

    /// Everything after the trust domain's slash: `auth`, or `team/auth`.
    pub fn path(&self) -> &str {
        &self.text[self.path_at + 1..]
    }

    /// The service's name: the last segment of the path.
    pub fn name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SpiffeId {
    type Err = MeshError;

    fn from_str(text: &str) -> Result<Self, MeshError> {
        if text.len() > BYTES_MAX {
            return Err(MeshError::SpiffeId("longer than 2048 bytes"));
        }
        let rest =
            text.strip_prefix(SCHEME).ok_or(MeshError::SpiffeId("it does not begin with spiffe://"))?;
        let (domain, path) =
            rest.split_once('/').ok_or(MeshError::SpiffeId("a service's id needs a path"))?;
        check_trust_domain(domain)?;
        if !path.split('/').all(is_segment) {
            return Err(MeshError::SpiffeId("the path has an empty, relative or ill-spelled segment"));
        }
        Ok(Self { text: text.into(), path_at: SCHEME.len() + domain.len() })
    }
}

/// Refuses what is no trust domain: it is 1–255 of `a-z`, `0-9`, `.`, `-`, `_`.
pub fn check_trust_domain(domain: &str) -> Result<(), MeshError> {
    let spelled = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if domain.is_empty() || domain.len() > TRUST_DOMAIN_BYTES_MAX || !domain.bytes().all(spelled) {
        return Err(MeshError::SpiffeId("the trust domain is empty, too long or ill-spelled"));
    }
    Ok(())
}

fn is_segment(segment: &str) -> bool {
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(spelled)
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_a_domain_a_path_and_a_name() {
        let id: SpiffeId = "spiffe://platform.local/team/auth".parse().unwrap();
        assert_eq!((id.trust_domain(), id.path(), id.name()), ("platform.local", "team/auth", "auth"));
        assert_eq!(id.sibling("notify").unwrap().as_str(), "spiffe://platform.local/notify");
    }

    #[test]
    fn ill_formed_ids_are_refused() {
        let too_long = format!("spiffe://a/{}", "b".repeat(2040));
        for text in [
            "",
            "spiffe://",
            "spiffe://a",
            "spiffe://a/",
            "spiffe:///b",
            "SPIFFE://a/b",
            "https://a/b",
            "spiffe://A/b",
            "spiffe://a:1/b",
            "spiffe://u@a/b",
            "spiffe://a/b/",
            "spiffe://a//b",
            "spiffe://a/./b",
            "spiffe://a/../b",
            "spiffe://a/b?c",
            "spiffe://a/b#c",
            "spiffe://a/%62",
            "spiffe://a/b c",
            "spiffe://ä/b",
            "spiffe://a/ä",
            &too_long,
        ] {
            assert!(text.parse::<SpiffeId>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn the_longest_id_is_taken() {
        let text = format!("spiffe://a/{}", "b".repeat(BYTES_MAX - "spiffe://a/".len()));
        assert!(text.parse::<SpiffeId>().is_ok());
    }
}
