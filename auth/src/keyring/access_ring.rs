//! The ring of users' access tokens: signs RS256 with a key that is parsed once, verifies with any key
//! of the ring.

use std::collections::HashMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use proto::{ErrorCode, ServiceError, auth as pb};

use crate::domain::access_token::{AUDIENCE, Claims, TYPE};
use crate::domain::signing_key::SigningKey;

pub(super) struct AccessRing {
    pair: rsa::KeyPair,
    /// The header of every token this key signs, encoded.
    header: String,
    verifiers: HashMap<String, DecodingKey>,
    keys: Vec<pb::Key>,
}

impl AccessRing {
    pub(super) fn new(
        keys: &[SigningKey],
        active: &SigningKey,
        private: &[u8],
    ) -> Result<Self, ServiceError> {
        let pair = rsa::KeyPair::from_pkcs8(private).map_err(ServiceError::internal)?;
        let header = serde_json::json!({ "alg": "RS256", "typ": TYPE, "kid": active.kid });
        let keys: Vec<pb::Key> = keys.iter().filter_map(super::public).collect();
        let verifier = |key: &pb::Key| {
            let (n, e) = (key.n.as_deref()?, key.e.as_deref()?);
            Some((key.kid.clone(), DecodingKey::from_rsa_components(n, e).ok()?))
        };
        let verifiers = keys.iter().filter_map(verifier).collect();
        Ok(Self { pair, header: BASE64.encode(header.to_string()), verifiers, keys })
    }

    pub(super) fn keys(&self) -> &[pb::Key] {
        &self.keys
    }

    pub(super) fn sign(&self, claims: &Claims) -> Result<String, ServiceError> {
        let claims = serde_json::to_vec(claims).map_err(ServiceError::internal)?;
        let mut token = format!("{}.{}", self.header, BASE64.encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(ServiceError::internal)?;
        token.push('.');
        BASE64.encode_string(&signature, &mut token);
        Ok(token)
    }

    pub(super) fn verify(&self, token: &str, issuer: &str) -> Result<Claims, ServiceError> {
        let invalid = || ServiceError::new(ErrorCode::AuthTokenInvalid);
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(invalid());
        }
        let key = header.kid.and_then(|kid| self.verifiers.get(&kid)).ok_or_else(invalid)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        // The time is an argument here: the caller compares.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let token = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|_| invalid())?;
        Ok(token.claims)
    }
}
