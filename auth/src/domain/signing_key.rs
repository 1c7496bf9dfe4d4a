//! Signing keys and their rings: which key signs, which ones verify.

use chrono::{DateTime, Utc};

/// What a ring's keys sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Users' access tokens, with RS256.
    Access,
    /// Passports, with `EdDSA`.
    Passport,
}

impl Ring {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Passport => "passport",
        }
    }

    /// The algorithm of its keys (RFC 7518, RFC 8037).
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Access => "RS256",
            Self::Passport => "EdDSA",
        }
    }
}

/// Where a key stands in its life: next, active, retiring, gone. One that is gone has no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Published, not signing yet: verifiers learn it before they need it.
    Next,
    /// Signs and verifies.
    Active,
    /// Verifies what it signed until all of that has expired.
    Retiring,
}

impl Status {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    /// Reads the database's word; one that is not known does not sign.
    pub fn parse(word: &str) -> Self {
        match word {
            "next" => Self::Next,
            "active" => Self::Active,
            _ => Self::Retiring,
        }
    }
}

/// A key as it is stored: its private half is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningKey {
    /// The key's id, in the header of what it signs.
    pub kid: String,
    /// Where it stands in its life.
    pub status: Status,
    /// The public half, a JWK.
    pub public_jwk: serde_json::Value,
    /// The private half, sealed and bound to the id.
    pub private_sealed: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it came to its present status.
    pub changed_at: DateTime<Utc>,
}
