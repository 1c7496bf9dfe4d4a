//! The signing keys of this process: a ring for users' access tokens and one for passports. It loads
//! them from the store, makes the first, turns the rings on schedule, signs and verifies. What a token
//! says is the caller's.

mod access_ring;
mod ring;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chassis::{Clock, Ids, Sealer};
use mesh::passport;
use proto::{ServiceError, auth as pb};

use crate::domain::access_token::Claims;
use crate::domain::signing_key::{Ring, SigningKey, Status};
use crate::store::Store;
use access_ring::AccessRing;

/// What the rings need.
pub struct Parts {
    /// Where the keys are kept.
    pub store: Arc<Store>,
    /// Seals and opens their private halves.
    pub sealer: Arc<Sealer>,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// How the rings turn.
    pub schedule: Schedule,
}

/// How a ring turns.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How long a key signs.
    pub signs_for: Duration,
    /// How long it is published before: longer than any verifier keeps its copy of the set.
    pub published_before: Duration,
    /// How long it verifies after: longer than any token lives.
    pub verifies_after: Duration,
}

/// The signing keys. They are swapped whole.
pub struct Keyring {
    parts: Parts,
    loaded: ArcSwap<Loaded>,
}

struct Loaded {
    access: AccessRing,
    passport: passport::Signer,
    passport_keys: Vec<pb::Key>,
}

impl Keyring {
    /// Loads the rings, making the keys that are missing.
    pub async fn open(parts: Parts) -> Result<Self, ServiceError> {
        ring::turn(&parts, Ring::Access).await?;
        ring::turn(&parts, Ring::Passport).await?;
        let loaded = Loaded::read(&parts).await?;
        Ok(Self { parts, loaded: ArcSwap::from_pointee(loaded) })
    }

    /// Turns the rings where it is time, and takes over what others turned. Safe to repeat and to run
    /// in several processes at once. Answers how many keys it moved.
    pub async fn turn(&self) -> Result<usize, ServiceError> {
        let moved =
            ring::turn(&self.parts, Ring::Access).await? + ring::turn(&self.parts, Ring::Passport).await?;
        self.loaded.store(Arc::new(Loaded::read(&self.parts).await?));
        Ok(moved)
    }

    /// The access token that makes these claims.
    pub fn sign_access(&self, claims: &Claims) -> Result<String, ServiceError> {
        self.loaded.load().access.sign(claims)
    }

    /// The claims of an access token of ours: its signature, type, issuer and audience are right.
    /// Whether it is in time is the caller's. Fails with `AUTH_TOKEN_INVALID`.
    pub fn verify_access(&self, token: &str, issuer: &str) -> Result<Claims, ServiceError> {
        self.loaded.load().access.verify(token, issuer)
    }

    /// The passport that makes these claims.
    pub fn sign_passport(&self, claims: &passport::Claims) -> Result<String, ServiceError> {
        self.loaded.load().passport.sign(claims)
    }

    /// The public halves of the access ring: next, active, retiring.
    pub fn access_keys(&self) -> Vec<pb::Key> {
        self.loaded.load().access.keys().to_vec()
    }

    /// The public halves of the passport ring.
    pub fn passport_keys(&self) -> Vec<pb::Key> {
        self.loaded.load().passport_keys.clone()
    }
}

impl Loaded {
    async fn read(parts: &Parts) -> Result<Self, ServiceError> {
        let access = parts.store.list_signing_keys(Ring::Access).await?;
        let passport = parts.store.list_signing_keys(Ring::Passport).await?;
        let signer = active(&passport)?;
        let private = open(parts, signer)?;
        Ok(Self {
            access: AccessRing::new(&access, active(&access)?, &open(parts, active(&access)?)?)?,
            passport: passport::Signer::new(signer.kid.clone(), &private).map_err(ServiceError::internal)?,
            passport_keys: passport.iter().filter_map(public).collect(),
        })
    }
}

fn active(keys: &[SigningKey]) -> Result<&SigningKey, ServiceError> {
    keys.iter()
        .rfind(|key| key.status == Status::Active)
        .ok_or_else(|| ServiceError::internal("a ring has no active key"))
}

fn open(parts: &Parts, key: &SigningKey) -> Result<zeroize::Zeroizing<Vec<u8>>, ServiceError> {
    parts.sealer.open(key.kid.as_bytes(), &key.private_sealed).map_err(|error| {
        ServiceError::internal(format!(
            "the signing key {} does not open under AUTH_SEALING_KEY: {error}",
            key.kid
        ))
    })
}

/// The public half as it is published; a row that cannot be read is left out.
fn public(key: &SigningKey) -> Option<pb::Key> {
    let text = |name: &str| key.public_jwk.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    Some(pb::Key {
        kty: text("kty")?,
        r#use: "sig".to_owned(),
        alg: text("alg")?,
        kid: key.kid.clone(),
        n: text("n"),
        e: text("e"),
        crv: text("crv"),
        x: text("x"),
        y: text("y"),
    })
}
