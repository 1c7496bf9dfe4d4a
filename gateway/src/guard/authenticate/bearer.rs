//! Finds the token in a head. Tokens anywhere else, as in a query, are no credentials.

use http::{HeaderMap, header};
use proto::{ErrorCode, ServiceError};

use super::invalid;

/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The bearer token of a request (RFC 6750, section 2.1).
pub(super) fn token(headers: &HeaderMap) -> Result<&str, ServiceError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(ErrorCode::Unauthenticated)?;
    if values.next().is_some() {
        return Err(invalid("more than one Authorization"));
    }
    let text = value.to_str().map_err(|_| invalid("an Authorization that is no text"))?;
    let (scheme, token) = text.split_once(' ').ok_or_else(|| invalid("an Authorization without a token"))?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(invalid("an Authorization that is no bearer token"));
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(invalid("a token that is too long"));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<String, ErrorCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        token(&headers).map(str::to_owned).map_err(|error| error.code())
    }

    #[test]
    fn one_bearer_token_is_a_credential() {
        assert_eq!(read(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&["bearer abc"]), Ok("abc".to_owned()));
    }

    #[test]
    fn none_is_missing_and_anything_else_is_invalid() {
        assert_eq!(read(&[]), Err(ErrorCode::Unauthenticated));
        let long = format!("Bearer {}", "a".repeat(TOKEN_BYTES_MAX + 1));
        for values in [
            &["Basic abc"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a", "Bearer b"],
            &[&long],
        ] {
            assert_eq!(read(values), Err(ErrorCode::AuthTokenInvalid), "{values:?}");
        }
    }
}
