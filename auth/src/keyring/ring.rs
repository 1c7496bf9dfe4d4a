//! How a ring turns: next, active, retiring, gone. One process at a time turns it; each step is
//! judged by the times in the rows, so that repeating one changes nothing.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use mesh::passport;
use proto::ServiceError;
use serde_json::{Value, json};

use super::{Parts, Schedule};
use crate::domain::signing_key::{Ring, SigningKey, Status};

/// What is to be done with a ring now.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Make a key and let it sign: there is none.
    MakeActive,
    /// Make the key that signs next.
    MakeNext,
    /// Let the next key sign.
    Promote { active: String, next: String },
    /// Forget a key.
    Forget { kid: String },
}

/// Turns the ring as far as it is time; answers how many steps it took.
pub(super) async fn turn(parts: &Parts, ring: Ring) -> Result<usize, ServiceError> {
    let mut taken = 0;
    // Looked at without the lock first: nearly always there is nothing to do.
    while next_step(&parts.store.list_signing_keys(ring).await?, parts.schedule, parts.clock.now()).is_some()
    {
        if !take_step(parts, ring).await? {
            break;
        }
        taken += 1;
    }
    Ok(taken)
}

fn next_step(keys: &[SigningKey], schedule: Schedule, now: DateTime<Utc>) -> Option<Step> {
    let at = |status: Status| keys.iter().find(|key| key.status == status);
    let Some(active) = at(Status::Active) else { return Some(Step::MakeActive) };
    let due = active.changed_at + schedule.signs_for;
    match at(Status::Next) {
        None if now >= due - schedule.published_before => return Some(Step::MakeNext),
        Some(next) if now >= due && now >= next.created_at + schedule.published_before => {
            return Some(Step::Promote { active: active.kid.clone(), next: next.kid.clone() });
        }
        _ => {}
    }
    let spent = keys
        .iter()
        .find(|key| key.status == Status::Retiring && now >= key.changed_at + schedule.verifies_after);
    spent.map(|key| Step::Forget { kid: key.kid.clone() })
}

async fn take_step(parts: &Parts, ring: Ring) -> Result<bool, ServiceError> {
    let now = parts.clock.now();
    // Made before the transaction begins: a key takes a while.
    let made = make_key(parts, ring, now).await?;
    let tx = parts.store.begin().await?;
    tx.lock_ring(ring).await?;
    let step = next_step(&tx.list_signing_keys(ring).await?, parts.schedule, now);
    match &step {
        None => return Ok(false),
        Some(Step::MakeActive) => {
            tx.insert_signing_key(ring, &SigningKey { status: Status::Active, ..made }).await?;
        }
        Some(Step::MakeNext) => tx.insert_signing_key(ring, &made).await?,
        Some(Step::Promote { active, next }) => {
            tx.mark_signing_key_status(active, Status::Retiring, now).await?;
            tx.mark_signing_key_status(next, Status::Active, now).await?;
        }
        Some(Step::Forget { kid }) => tx.purge_signing_key(kid).await?,
    }
    tx.commit().await?;
    tracing::info!(ring = ring.as_str(), step = ?step, "a signing ring turned");
    Ok(true)
}

async fn make_key(parts: &Parts, ring: Ring, now: DateTime<Utc>) -> Result<SigningKey, ServiceError> {
    let (private, mut public_jwk) = tokio::task::spawn_blocking(move || match ring {
        Ring::Access => make_rsa(),
        Ring::Passport => make_ed25519(),
    })
    .await
    .map_err(ServiceError::internal)??;
    let kid = BASE64.encode(parts.ids.bytes::<12>());
    public_jwk["kid"] = Value::from(kid.clone());
    let private_sealed = parts.sealer.seal(kid.as_bytes(), &private).map_err(ServiceError::internal)?;
    Ok(SigningKey { kid, status: Status::Next, public_jwk, private_sealed, created_at: now, changed_at: now })
}

type Pair = (zeroize::Zeroizing<Vec<u8>>, Value);

fn make_rsa() -> Result<Pair, ServiceError> {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(ServiceError::internal)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(ServiceError::internal)?;
    let public = rsa::PublicKey::clone(aws_lc_rs::signature::KeyPair::public_key(&pair));
    let number = |bytes: &[u8]| BASE64.encode(bytes);
    let jwk = json!({
        "kty": "RSA",
        "alg": Ring::Access.algorithm(),
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    });
    Ok((der.as_ref().to_vec().into(), jwk))
}

fn make_ed25519() -> Result<Pair, ServiceError> {
    let private = passport::Signer::generate().map_err(ServiceError::internal)?;
    let signer = passport::Signer::new("", &private).map_err(ServiceError::internal)?;
    let key = signer.verifying_key().to_jwk();
    let jwk = json!({ "kty": key.kty, "alg": key.alg, "crv": key.crv, "x": key.x });
    Ok((private.into(), jwk))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const SCHEDULE: Schedule =
        Schedule { signs_for: Duration::from_hours(30 * 24), published_before: HOUR, verifies_after: HOUR };

    fn key(kid: &str, status: Status, at: DateTime<Utc>) -> SigningKey {
        SigningKey {
            kid: kid.to_owned(),
            status,
            public_jwk: Value::Null,
            private_sealed: String::new(),
            created_at: at,
            changed_at: at,
        }
    }

    #[test]
    fn a_ring_turns_with_overlap() {
        let start = DateTime::UNIX_EPOCH;
        let step = |keys: &[SigningKey], now| next_step(keys, SCHEDULE, now);
        let due = start + SCHEDULE.signs_for;
        let active = key("a", Status::Active, start);

        assert_eq!(step(&[], start), Some(Step::MakeActive));
        assert_eq!(step(std::slice::from_ref(&active), start), None);
        assert_eq!(step(std::slice::from_ref(&active), due - HOUR), Some(Step::MakeNext));
        let ring = [active, key("b", Status::Next, due - HOUR)];
        assert_eq!(step(&ring, due - HOUR / 2), None, "published before it signs");
        assert_eq!(step(&ring, due), Some(Step::Promote { active: "a".into(), next: "b".into() }));
        let ring = [key("a", Status::Retiring, due), key("b", Status::Active, due)];
        assert_eq!(step(&ring, due + HOUR / 2), None, "verifies what it signed");
        assert_eq!(step(&ring, due + HOUR), Some(Step::Forget { kid: "a".into() }));
    }
}
