//! The keys of passports: Ed25519 (RFC 8032), kept ready to sign; the public halves travel as JWKs.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use futures::future::BoxFuture;
use proto::ServiceError;

use super::token::{ALGORITHM, Header, decode, encode};
use super::{BYTES_MAX, Claims, TYPE};
use crate::MeshError;

/// Signs passports with one key.
pub struct Signer {
    kid: String,
    pair: Ed25519KeyPair,
    /// The header never changes: it is encoded once.
    header: String,
}

impl Signer {
    /// A new private key in PKCS #8, for its owner to seal and keep.
    pub fn generate() -> Result<Vec<u8>, MeshError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| MeshError::PassportKey("no key could be made"))?;
        let document = pair.to_pkcs8().map_err(|_| MeshError::PassportKey("the key could not be written"))?;
        Ok(document.as_ref().to_vec())
    }

    /// A signer with a private key in PKCS #8, known to verifiers as `kid`.
    pub fn new(kid: impl Into<String>, pkcs8: &[u8]) -> Result<Self, MeshError> {
        let kid = kid.into();
        let pair =
            Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| MeshError::PassportKey("not an Ed25519 key"))?;
        let header = Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: kid.clone() };
        let header = serde_json::to_vec(&header).map_err(|_| MeshError::PassportKey("an unspeakable kid"))?;
        Ok(Self { kid, pair, header: encode(header) })
    }

    /// The passport that makes these claims; fails where they make it longer than any verifier takes.
    pub fn sign(&self, claims: &Claims) -> Result<String, ServiceError> {
        let claims = serde_json::to_vec(claims).map_err(ServiceError::internal)?;
        let signed = format!("{}.{}", self.header, encode(claims));
        let signature = encode(self.pair.sign(signed.as_bytes()));
        let passport = format!("{signed}.{signature}");
        if passport.len() > BYTES_MAX {
            return Err(ServiceError::internal("the claims make a passport longer than 4096 bytes"));
        }
        Ok(passport)
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut public = [0; 32];
        public.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey { kid: self.kid.clone(), public }
    }
}

/// The public half of a key that signs passports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    /// The key's id.
    pub kid: String,
    /// The key itself.
    pub public: [u8; 32],
}

impl VerifyingKey {
    /// Reads a JWK (RFC 8037); nothing where it is of another kind.
    pub fn from_jwk(jwk: &proto::auth::Key) -> Option<Self> {
        if jwk.kty != "OKP" || jwk.crv.as_deref() != Some("Ed25519") || jwk.alg != ALGORITHM {
            return None;
        }
        let public = decode(jwk.x.as_deref()?).ok()?.try_into().ok()?;
        Some(Self { kid: jwk.kid.clone(), public })
    }

    /// The key as a JWK (RFC 8037).
    pub fn to_jwk(&self) -> proto::auth::Key {
        proto::auth::Key {
            kty: "OKP".to_owned(),
            r#use: "sig".to_owned(),
            alg: ALGORITHM.to_owned(),
            kid: self.kid.clone(),
            crv: Some("Ed25519".to_owned()),
            x: Some(encode(self.public)),
            ..Default::default()
        }
    }

    pub(super) fn verifies(&self, signed: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(signed.as_bytes(), signature).is_ok()
    }
}

type Fetch = dyn Fn() -> BoxFuture<'static, Result<Vec<VerifyingKey>, ServiceError>> + Send + Sync;

/// Where a verifier finds the keys.
#[derive(Clone)]
pub struct KeySource(Arc<Fetch>);

impl KeySource {
    /// Always these keys.
    pub fn fixed(keys: Vec<VerifyingKey>) -> Self {
        Self::fetch(move || {
            let keys = keys.clone();
            async move { Ok(keys) }
        })
    }

    /// What this answers: in auth its own ring, elsewhere a call of `KeyService/GetPassportKeySet`.
    pub fn fetch<F, A>(fetch: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<Vec<VerifyingKey>, ServiceError>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(fetch())))
    }

    pub(super) async fn keys(&self) -> Result<Vec<VerifyingKey>, ServiceError> {
        (self.0)().await
    }
}
