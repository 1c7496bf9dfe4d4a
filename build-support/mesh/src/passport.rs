//! Passports: what auth says of a person to the mesh, for at most a minute (RFC 7519, RFC 8037). Users'
//! access tokens are another thing and are refused here, as passports are refused at the edge.

mod keys;
mod token;
mod verifier;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use keys::{KeySource, Signer, VerifyingKey};
pub use verifier::Verifier;

use crate::Caller;

/// The `aud` of every passport.
pub const AUDIENCE: &str = "mesh";
/// The `typ` of every passport's header.
pub const TYPE: &str = "passport+jwt";
/// The longest life, in seconds.
pub const LIFE_SECONDS_MAX: i64 = 60;
/// The longest passport.
pub const BYTES_MAX: usize = 4096;

/// What a passport says. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the platform's public address.
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The user.
    pub sub: Uuid,
    /// The tenant.
    pub tid: Uuid,
    /// The session.
    pub sid: Uuid,
    /// The id of the access token it stands for.
    pub jti: Uuid,
    /// What the user may do.
    pub permissions: Vec<String>,
    /// When it was issued.
    pub iat: i64,
    /// When it ends, at most 60 s after `iat`. There is no leeway.
    pub exp: i64,
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        Caller {
            user_id: claims.sub,
            tenant_id: claims.tid,
            session_id: claims.sid,
            token_jti: claims.jti,
            permissions: claims.permissions.into(),
        }
    }
}
