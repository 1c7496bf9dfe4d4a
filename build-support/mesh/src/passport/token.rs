//! The compact form of a passport: three parts, one algorithm, nothing negotiable.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{BYTES_MAX, Claims, TYPE};

/// The one algorithm.
pub(super) const ALGORITHM: &str = "EdDSA";

/// The header. Members that ask for more than we understand (`crit`, `jku`, `jwk`, `b64`) are refused
/// with all others.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// A passport taken apart; nothing of it is verified yet but that header says what we speak.
pub(super) struct Parts<'a> {
    pub(super) kid: String,
    /// What is signed: header, dot and claims as they came.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > BYTES_MAX {
            return Err("longer than 4096 bytes");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, claims) = signed.split_once('.').ok_or("not three parts")?;
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| "the header has other members than alg, typ, kid")?;
        if header.alg != ALGORITHM {
            return Err("another algorithm");
        }
        if header.typ != TYPE {
            return Err("another type of token");
        }
        Ok(Self { kid: header.kid, signed, signature: decode(signature)?, claims })
    }

    /// The claims; to be believed only after the signature was verified.
    pub(super) fn claims(&self) -> Result<Claims, &'static str> {
        serde_json::from_slice(&decode(self.claims)?).map_err(|_| "the claims are not those of a passport")
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url")
}
