//! Secrets at rest: sealing what must be read again, and deriving what need not be stored at all.
//!
//! The keys come from configuration; which secret is sealed, and to which row it is bound, is the caller's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// The key id of a key that was given without one.
const UNNAMED: &str = "default";

/// A ring of keys for one purpose: the first seals, all open.
///
/// AES-256-GCM under keys derived from the given ones by HKDF-SHA-256 for a context, so that two sealers
/// of one configuration can open nothing of each other's.
pub struct Sealer {
    ring: Vec<(String, Keys)>,
}

struct Keys {
    seal: RandomizedNonceKey,
    derive: hkdf::Prk,
}

/// Why a text could not be sealed or opened. Says nothing about its content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The key text is not `kid:base64[,kid:base64…]` with 32 bytes each and distinct ids.
    #[error(
        "a sealing key must be 32 bytes in base64, as `kid:base64`, several comma-separated with distinct ids"
    )]
    BadKey,
    /// The text was not made by [`Sealer::seal`].
    #[error("this is not a sealed text")]
    Malformed,
    /// The key it was sealed under is no longer in the ring.
    #[error("sealed under a key that is not in the ring")]
    UnknownKey,
    /// It was changed, bound to other data, or sealed for another context.
    #[error("the sealed text does not belong here or was changed")]
    Refused,
}

impl Sealer {
    /// Reads `kid:base64,kid:base64…` (or one bare base64 key) of 32-byte keys. `context` names the purpose.
    pub fn new(keys: &SecretString, context: &str) -> Result<Sealer, SealError> {
        let mut ring: Vec<(String, Keys)> = Vec::new();
        for entry in keys.expose_secret().split(',') {
            let (kid, encoded) = entry.trim().split_once(':').unwrap_or((UNNAMED, entry.trim()));
            let well_named =
                !kid.is_empty() && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !well_named || ring.iter().any(|(known, _)| known == kid) {
                return Err(SealError::BadKey);
            }
            ring.push((kid.to_owned(), Keys::read(encoded, context)?));
        }
        Ok(Sealer { ring })
    }

    /// Seals `plaintext` under the first key, bound to `aad` (say, the row's id): `kid.base64url`.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<String, SealError> {
        let (kid, keys) = self.ring.first().ok_or(SealError::UnknownKey)?;
        let mut sealed = plaintext.to_vec();
        let nonce = keys
            .seal
            .seal_in_place_append_tag(Aad::from(aad), &mut sealed)
            .map_err(|_| SealError::Refused)?;
        let text = URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &sealed].concat());
        Ok(format!("{kid}.{text}"))
    }

    /// Opens what [`seal`](Sealer::seal) made for the same context and `aad`, under any key of the ring.
    pub fn open(&self, aad: &[u8], sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (kid, text) = sealed.split_once('.').ok_or(SealError::Malformed)?;
        let (_, keys) = self.ring.iter().find(|(known, _)| known == kid).ok_or(SealError::UnknownKey)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed)?;
        let (nonce, body) = bytes.split_at_checked(NONCE_LEN).ok_or(SealError::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Malformed)?;

        let mut body = Zeroizing::new(body.to_vec());
        let opened =
            keys.seal.open_in_place(nonce, Aad::from(aad), &mut body).map_err(|_| SealError::Refused)?.len();
        body.truncate(opened);
        Ok(body)
    }

    /// A secret that follows from `input` and the first key: HMAC-SHA-256 under a key of `label`'s own.
    pub fn derive(&self, label: &str, input: &[u8]) -> [u8; KEY_LEN] {
        self.ring.first().map_or([0; KEY_LEN], |(_, keys)| keys.derive(label, input))
    }

    /// What [`derive`](Sealer::derive) gives under each key of the ring, newest first, so that a secret
    /// derived before a rotation is recognised after it.
    pub fn derive_each(&self, label: &str, input: &[u8]) -> Vec<[u8; KEY_LEN]> {
        self.ring.iter().map(|(_, keys)| keys.derive(label, input)).collect()
    }
}

impl Keys {
    fn read(encoded: &str, context: &str) -> Result<Keys, SealError> {
        let master = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| SealError::BadKey)?);
        if master.len() != KEY_LEN {
            return Err(SealError::BadKey);
        }
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&master);
        let seal = expand(&master, &[b"seal", context.as_bytes()]);
        let derive = expand(&master, &[b"derive", context.as_bytes()]);
        Ok(Keys {
            seal: RandomizedNonceKey::new(&AES_256_GCM, &*seal).map_err(|_| SealError::BadKey)?,
            derive: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &*derive),
        })
    }

    fn derive(&self, label: &str, input: &[u8]) -> [u8; KEY_LEN] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*expand(&self.derive, &[label.as_bytes()]));
        let mut derived = [0; KEY_LEN];
        derived.copy_from_slice(hmac::sign(&key, input).as_ref());
        derived
    }
}

/// HKDF-Expand; the parts of `info` are set apart by a zero byte, so that no two lists read alike.
#[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 255 × 32 bytes, and 32 are asked")]
fn expand(key: &hkdf::Prk, info: &[&[u8]]) -> Zeroizing<[u8; KEY_LEN]> {
    let info = info.join(&0);
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    key.expand(&[&info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *bytes))
        .expect("32 bytes are within HKDF's limit");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; KEY_LEN])
    }

    fn sealer(keys: &str, context: &str) -> Sealer {
        Sealer::new(&keys.to_owned().into(), context).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place() {
        let ring = sealer(&key(1), "auth");
        let text = ring.seal(b"row 1", b"secret").unwrap();

        assert!(!text.contains("secret"));
        assert_eq!(ring.open(b"row 1", &text).unwrap().as_slice(), b"secret");
        assert_eq!(ring.open(b"row 2", &text).unwrap_err(), SealError::Refused);
        let foreign = sealer(&key(1), "notify");
        assert_eq!(foreign.open(b"row 1", &text).unwrap_err(), SealError::Refused);
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        let ring = sealer(&key(1), "auth");
        assert_ne!(ring.seal(b"", b"same").unwrap(), ring.seal(b"", b"same").unwrap());
    }

    #[test]
    fn a_rotated_ring_opens_the_old_and_seals_with_the_new() {
        let old = sealer(&format!("a:{}", key(1)), "auth");
        let rotated = sealer(&format!("b:{}, a:{}", key(2), key(1)), "auth");
        let text = old.seal(b"", b"kept").unwrap();

        assert_eq!(rotated.open(b"", &text).unwrap().as_slice(), b"kept");
        let renewed = rotated.seal(b"", b"kept").unwrap();
        assert!(renewed.starts_with("b."));
        assert_eq!(old.open(b"", &renewed).unwrap_err(), SealError::UnknownKey);

        assert_eq!(rotated.derive_each("link", b"7")[1], old.derive("link", b"7"));
        assert_ne!(rotated.derive("link", b"7"), old.derive("link", b"7"));
    }

    #[test]
    fn derived_secrets_differ_by_label_and_input() {
        let ring = sealer(&key(1), "auth");
        assert_eq!(ring.derive("link", b"7"), ring.derive("link", b"7"));
        assert_ne!(ring.derive("link", b"7"), ring.derive("refresh", b"7"));
        assert_ne!(ring.derive("link", b"7"), ring.derive("link", b"8"));
    }

    #[test]
    fn bad_keys_and_texts_are_refused() {
        for keys in ["", "short", "a:AAAA", &format!("a:{0},a:{0}", key(1)), &format!(":{}", key(1))] {
            assert!(Sealer::new(&keys.to_owned().into(), "auth").is_err(), "{keys}");
        }
        let ring = sealer(&key(1), "auth");
        for text in ["", "default", "default.", "default.AAAA", "default.!!"] {
            assert_eq!(ring.open(b"", text).unwrap_err(), SealError::Malformed, "{text}");
        }
    }
}
