//! Which tokens are no passports.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::Clock;
use chrono::DateTime;
use mesh::passport::{AUDIENCE, Claims, KeySource, Signer, Verifier};
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;

struct Bench {
    clock: Clock,
    signer: Signer,
    verifier: Verifier,
}

fn bench() -> Bench {
    let clock = Clock::manual(DateTime::from_timestamp(NOW, 0).unwrap());
    let signer = new_signer("k1");
    let verifier = Verifier::new(KeySource::fixed(vec![signer.verifying_key()]), clock.clone());
    Bench { clock, signer, verifier }
}

fn new_signer(kid: &str) -> Signer {
    Signer::new(kid, &Signer::generate().unwrap()).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "http://127.0.0.1:8080".to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: Uuid::from_u128(1),
        tid: Uuid::from_u128(2),
        sid: Uuid::from_u128(3),
        jti: Uuid::from_u128(4),
        permissions: Vec::new(),
        iat: NOW,
        exp: NOW + 60,
    }
}

impl Bench {
    async fn refuses(&self, token: &str) {
        let refusal = self.verifier.verify(token).await.expect_err("it was taken");
        assert_eq!(refusal.code(), ErrorCode::Unauthenticated);
    }

    fn passport(&self, change: impl FnOnce(&mut Claims)) -> String {
        let mut claims = claims();
        change(&mut claims);
        self.signer.sign(&claims).unwrap()
    }
}

/// The same token under another header; the signature fits the old one.
fn under_header(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[tokio::test]
async fn a_passport_is_good_until_the_second_it_ends() {
    let bench = bench();
    let passport = bench.passport(|_| ());
    assert_eq!(bench.verifier.verify(&passport).await.unwrap().user_id, Uuid::from_u128(1));
    bench.clock.advance(Duration::from_secs(59));
    assert!(bench.verifier.verify(&passport).await.is_ok());
    bench.clock.advance(Duration::from_secs(1));
    bench.refuses(&passport).await;
}

#[tokio::test]
async fn claims_that_are_not_a_passport_s_are_refused() {
    let bench = bench();
    bench.refuses(&bench.passport(|claims| claims.exp = NOW)).await;
    bench.refuses(&bench.passport(|claims| claims.exp = NOW + 61)).await;
    bench.refuses(&bench.passport(|claims| claims.aud = "http://127.0.0.1:8080".to_owned())).await;
    bench.refuses(&bench.passport(|claims| (claims.iat, claims.exp) = (i64::MIN, i64::MAX))).await;
}

#[tokio::test]
async fn a_passport_over_four_kibibytes_is_neither_made_nor_read() {
    let bench = bench();
    let mut long = claims();
    long.permissions = vec!["a:b".repeat(1000)];
    assert_eq!(bench.signer.sign(&long).unwrap_err().code(), ErrorCode::Internal);
    bench.refuses(&"x".repeat(5000)).await;
}

#[tokio::test]
async fn another_key_is_refused_also_under_a_known_name() {
    let bench = bench();
    bench.refuses(&new_signer("k1").sign(&claims()).unwrap()).await;
    bench.refuses(&new_signer("k2").sign(&claims()).unwrap()).await;
}

#[tokio::test]
async fn headers_that_are_not_a_passport_s_are_refused() {
    let bench = bench();
    let passport = bench.passport(|_| ());
    for header in [
        r#"{"alg":"none","typ":"passport+jwt","kid":"k1"}"#,
        r#"{"alg":"HS256","typ":"passport+jwt","kid":"k1"}"#,
        // A user's access token.
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#,
        r#"{"alg":"EdDSA","typ":"passport+jwt"}"#,
        r#"{"alg":"EdDSA","typ":"passport+jwt","kid":"k1","jku":"https://evil.example"}"#,
        r#"{"alg":"EdDSA","typ":"passport+jwt","kid":"k1","crit":["b64"]}"#,
        r#"{"alg":"EdDSA","typ":"passport+jwt","kid":"k1","alg":"none"}"#,
    ] {
        bench.refuses(&under_header(&passport, header)).await;
    }
}

#[tokio::test]
async fn mangled_tokens_are_refused() {
    let bench = bench();
    let passport = bench.passport(|_| ());
    let (signed, _) = passport.rsplit_once('.').unwrap();
    for token in
        ["", ".", "..", "a.b.c", signed, &format!("{signed}."), &format!("{passport}."), &passport[1..]]
    {
        bench.refuses(token).await;
    }
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once() {
    let (asked, clock) = (Arc::new(AtomicUsize::new(0)), bench().clock);
    let (counter, signer) = (asked.clone(), new_signer("k1"));
    let key = signer.verifying_key();
    let source = KeySource::fetch(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let key = key.clone();
        async move { Ok(vec![key]) }
    });
    let verifier = Verifier::new(source, clock);
    let unknown = new_signer("k2").sign(&claims()).unwrap();
    let all = (0..50).map(|_| verifier.verify(&unknown));
    assert!(futures::future::join_all(all).await.iter().all(Result::is_err));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(verifier.verify(&signer.sign(&claims()).unwrap()).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_verifier_without_keys_says_so_and_heals() {
    let (clock, signer) = (bench().clock, new_signer("k1"));
    let (failing, key) = (Arc::new(AtomicUsize::new(1)), signer.verifying_key());
    let source = KeySource::fetch({
        let failing = failing.clone();
        move || {
            let answer = match failing.load(Ordering::SeqCst) {
                0 => Ok(vec![key.clone()]),
                _ => Err(ServiceError::unavailable("auth is away")),
            };
            async move { answer }
        }
    });
    let verifier = Verifier::new(source, clock);
    let passport = signer.sign(&claims()).unwrap();
    let refusal = verifier.verify(&passport).await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::ServiceUnavailable);
    failing.store(0, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(verifier.verify(&passport).await.is_ok());
}

#[test]
fn a_public_key_survives_the_wire() {
    let key = new_signer("k1").verifying_key();
    assert_eq!(mesh::passport::VerifyingKey::from_jwk(&key.to_jwk()), Some(key));
}
