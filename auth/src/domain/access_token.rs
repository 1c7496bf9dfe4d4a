//! Access tokens: the claims of the JWT that a person's client shows. They name the person, the
//! session and the version of the rights, and no right itself.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The header's `typ` (RFC 9068): a token for anything else is not taken for one of these.
pub const TYPE: &str = "at+jwt";
/// Whom access tokens are for.
pub const AUDIENCE: &str = "platform";

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the platform's public URL.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The user.
    pub sub: Uuid,
    /// The tenant.
    pub tid: Uuid,
    /// The session.
    pub sid: Uuid,
    /// The token's own id.
    pub jti: Uuid,
    /// The version of the user's rights when it was issued.
    pub pv: u64,
    /// When it was issued, in seconds since the epoch.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Until when it is good.
    pub exp: i64,
}
