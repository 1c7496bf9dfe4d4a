//! Refresh tokens: `selector.verifier`, a generation a row. The successor follows from its
//! predecessor by a keyed hash, so that the same answer can be given twice without being stored; a
//! predecessor is one only for a short while and only until its successor is used.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chassis::{Ids, Sealer};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::phc::{Cost, Phc};

const SELECTOR_LEN: usize = 16;
const VERIFIER_LEN: usize = 32;

/// A refresh token as its client holds it.
pub struct RefreshToken {
    /// Finds the row; not a secret.
    pub selector: String,
    verifier: Zeroizing<[u8; VERIFIER_LEN]>,
}

/// One generation as it is stored: nothing in it is the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Finds the row.
    pub selector: String,
    /// The session it continues.
    pub session_id: Uuid,
    /// The verifier's argon2id hash.
    pub verifier_hash: String,
    /// Counts from 0 at the sign-in.
    pub number: u32,
    /// The id of the access token issued with it.
    pub jti: Uuid,
    /// When that access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// When it was exchanged for its successor.
    pub used_at: Option<DateTime<Utc>>,
}

/// What to do with a token whose verifier is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is the newest: exchange it.
    Rotate,
    /// It was exchanged a moment ago and the successor is unused: the same answer again.
    Repeat,
    /// It was exchanged before: somebody has a copy.
    Reused,
}

impl RefreshToken {
    /// A token of chance: the first of a session.
    pub fn first(ids: &Ids) -> Self {
        Self::new(&ids.bytes::<SELECTOR_LEN>(), ids.bytes::<VERIFIER_LEN>())
    }

    fn new(selector: &[u8], verifier: [u8; VERIFIER_LEN]) -> Self {
        Self { selector: BASE64.encode(selector), verifier: Zeroizing::new(verifier) }
    }

    /// Reads what a client sent; `None` where it has not the form.
    pub fn parse(text: &str) -> Option<Self> {
        let (selector, verifier) = text.split_once('.')?;
        let selector: [u8; SELECTOR_LEN] = BASE64.decode(selector).ok()?.try_into().ok()?;
        let verifier: [u8; VERIFIER_LEN] = BASE64.decode(verifier).ok()?.try_into().ok()?;
        Some(Self::new(&selector, verifier))
    }

    /// The token as the client gets it.
    pub fn expose(&self) -> String {
        format!("{}.{}", self.selector, BASE64.encode(*self.verifier))
    }

    /// The token after this one, and the id of the access token that comes with it.
    pub fn successor(&self, sealer: &Sealer) -> (Self, Uuid) {
        let jti = sealer.derive("refresh-jti", &self.bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&jti[..16]);
        let jti = uuid::Builder::from_custom_bytes(id).into_uuid();
        let [selector, verifier] =
            ["refresh-selector", "refresh-verifier"].map(|label| sealer.derive(label, &self.bytes()));
        (Self::new(&selector[..SELECTOR_LEN], verifier), jti)
    }

    /// What the token after this one may be: under the newest key, or under one before it if the keys
    /// were changed a moment ago.
    pub fn successors(&self, sealer: &Sealer) -> impl Iterator<Item = Self> {
        let [selectors, verifiers] =
            ["refresh-selector", "refresh-verifier"].map(|label| sealer.derive_each(label, &self.bytes()));
        let pairs = selectors.into_iter().zip(verifiers);
        pairs.map(|(selector, verifier)| Self::new(&selector[..SELECTOR_LEN], verifier))
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.selector.as_bytes(), &*self.verifier].concat())
    }

    /// The verifier's hash, to be stored. The selector is its salt: each is used once.
    pub fn verifier_hash(&self) -> String {
        Phc::hash(Cost::RANDOM_SECRET, self.selector.as_bytes(), &*self.verifier, &mut Vec::new())
            .map(|hash| hash.to_string())
            .unwrap_or_default()
    }

    /// Whether the stored hash is this verifier's.
    pub fn is_of(&self, generation: &Generation) -> bool {
        Phc::parse(&generation.verifier_hash)
            .is_some_and(|hash| hash.matches(&*self.verifier, &mut Vec::new()))
    }
}

/// Judges a generation whose verifier was right. `successor_unused` is whether the next generation
/// is there and was not exchanged itself: the grace covers the immediate predecessor only.
pub fn judge(
    generation: &Generation,
    successor_unused: bool,
    leeway: Duration,
    now: DateTime<Utc>,
) -> Judgement {
    match generation.used_at {
        None => Judgement::Rotate,
        Some(used_at) if successor_unused && now < used_at + leeway => Judgement::Repeat,
        Some(_) => Judgement::Reused,
    }
}

#[cfg(test)]
mod tests;
