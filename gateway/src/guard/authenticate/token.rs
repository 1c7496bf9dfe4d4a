//! Access tokens: JWTs (RFC 9068) whose algorithm is their key's and never their header's choice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use proto::{ErrorCode, ServiceError};
use serde::Deserialize;
use uuid::Uuid;

use super::invalid;
use super::keys::KeyRing;

const TYPE: &str = "at+jwt";
const AUDIENCE: &str = "platform";

/// The header: what asks for more than we understand (`crit`, `jku`, `jwk`, `b64`) is refused with all
/// other members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    pub(super) sub: Uuid,
    pub(super) tid: Uuid,
    pub(super) sid: Uuid,
    #[serde(rename = "jti")]
    _jti: Uuid,
    pub(super) pv: u64,
    nbf: i64,
    exp: i64,
}

/// The claims of a token with a genuine signature, and the version of the keys that said so.
pub(super) async fn verify(token: &str, keys: &KeyRing) -> Result<(Claims, u64), ServiceError> {
    let (signed, signature) = token.rsplit_once('.').ok_or_else(|| invalid("not three parts"))?;
    let (header, claims) = signed.split_once('.').ok_or_else(|| invalid("not three parts"))?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| invalid("a foreign header"))?;
    if !header.typ.eq_ignore_ascii_case(TYPE) {
        return Err(invalid("another type of token"));
    }
    let signature = decode(signature)?;
    let (key, version) = keys.find(&header.kid).await?;
    if !key.verifies(&header.alg, signed.as_bytes(), &signature) {
        return Err(invalid("a signature that is not genuine"));
    }
    let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| invalid("claims that are missing"))?;
    Ok((claims, version))
}

impl Claims {
    /// Refuses a token that somebody else issued, or for somebody else.
    pub(super) fn check_purpose(&self, issuer: &str) -> Result<(), ServiceError> {
        if self.iss != issuer {
            return Err(invalid("another issuer"));
        }
        if self.aud != AUDIENCE {
            return Err(invalid("another audience"));
        }
        Ok(())
    }

    /// When the token expires.
    pub(super) fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Refuses a token that has expired or is not good yet.
    pub(super) fn check_time(&self, now: DateTime<Utc>, leeway: TimeDelta) -> Result<(), ServiceError> {
        if self.exp.saturating_add(leeway.num_seconds()) <= now.timestamp() {
            return Err(ErrorCode::AuthTokenExpired.into());
        }
        if self.nbf.saturating_sub(leeway.num_seconds()) > now.timestamp() {
            return Err(invalid("not good yet"));
        }
        Ok(())
    }
}

fn decode(part: &str) -> Result<Vec<u8>, ServiceError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| invalid("not base64url"))
}
