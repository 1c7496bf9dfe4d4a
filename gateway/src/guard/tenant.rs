//! The tenant a request asks for. A token fixes the tenant: a wish for another one is refused, not obeyed.

use http::{HeaderMap, HeaderValue};
use proto::{ErrorCode, ServiceError, metadata};
use uuid::Uuid;

use super::authenticate::Caller;

const BYTES_MAX: usize = 128;

/// A wish for a tenant: what `X-Tenant-ID` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An id, in its one spelling, or a short name.
    Name(HeaderValue),
    /// What cannot name any tenant.
    Nonsense,
}

impl Wish {
    /// The wish in the head of a request, if there is one.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut wishes = headers.get_all(metadata::TENANT).iter();
        let wish = wishes.next()?;
        let fits = (1..=BYTES_MAX).contains(&wish.len()) && wish.as_bytes().iter().all(u8::is_ascii_graphic);
        if !fits || wishes.next().is_some() {
            return Some(Self::Nonsense);
        }
        let name = match Uuid::try_parse_ascii(wish.as_bytes()) {
            Ok(id) => HeaderValue::try_from(id.to_string()),
            // With bytes of its own: the head's buffer need not live as long.
            Err(_) => HeaderValue::from_bytes(wish.as_bytes()),
        };
        Some(name.map_or(Self::Nonsense, Self::Name))
    }

    /// The id or short name.
    pub fn name(&self) -> Option<&HeaderValue> {
        match self {
            Self::Name(name) => Some(name),
            Self::Nonsense => None,
        }
    }
}

/// Refuses a wish for anything but the caller's own tenant, by its id or its short name.
pub fn check(wish: Option<&Wish>, caller: &Caller) -> Result<(), ServiceError> {
    let Some(wish) = wish else { return Ok(()) };
    let own = |name: &HeaderValue| name == caller.tenant_id.as_str() || name == caller.tenant_slug.as_str();
    if wish.name().is_some_and(own) { Ok(()) } else { Err(ErrorCode::TenantMismatch.into()) }
}

/// Refuses a wish that names no tenant, where no token does. Whether there is one of the name, the
/// service knows.
pub fn check_alone(wish: Option<&Wish>) -> Result<(), ServiceError> {
    if wish == Some(&Wish::Nonsense) { Err(ErrorCode::NotFound.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(values: &[&str]) -> Option<Wish> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(metadata::TENANT, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Wish::read(&headers)
    }

    #[test]
    fn a_tenant_is_named_by_id_or_short_name() {
        let name = |text| Some(Wish::Name(HeaderValue::from_static(text)));
        assert_eq!(wish(&[]), None);
        assert_eq!(wish(&["acme"]), name("acme"));
        let id = "0192f0c1-2345-7abc-8def-000000000002";
        for spelling in [id, &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}")] {
            assert_eq!(wish(&[spelling]), name(id), "of one id there is one spelling: {spelling}");
        }
    }

    #[test]
    fn what_names_none_is_not_taken_for_no_wish() {
        for values in [&[""][..], &["a b"], &["\u{e9}"], &[&"a".repeat(129)], &["acme", "acme"]] {
            assert_eq!(wish(values), Some(Wish::Nonsense), "{values:?}");
        }
        assert!(wish(&[&"a".repeat(128)]).unwrap().name().is_some());
    }
}
