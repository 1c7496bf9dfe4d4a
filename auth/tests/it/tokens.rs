//! Tokens that are not ours, or not for this: each refused, none with a reason to learn from.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proto::ErrorCode;
use proto::auth as pb;
use serde_json::{Value, json};

use crate::voices::{Refusal, by, hear};
use crate::world::{ANA, World, on_each_database};

/// A token with this header and payload, signed as told.
fn forge(header: &Value, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{payload}", BASE64.encode(header.to_string()));
    let signature = BASE64.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn rs256(key: &KeyPair, signed: &[u8]) -> Vec<u8> {
    let mut made = vec![0; key.public_modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut made).unwrap();
    made
}

#[tokio::test]
async fn a_token_that_auth_did_not_sign_is_refused() {
    on_each_database(async |world: &mut World| {
        let token = world.signed_in(ANA).await.access_token;
        world.authenticate(&token).await.unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let kid = header_of(&token)["kid"].as_str().unwrap().to_owned();
        let keys = hear(world.gateway.keys().get_key_set(pb::GetKeySetRequest {}).await).unwrap().keys;
        let modulus = BASE64.decode(keys[0].n.as_ref().unwrap()).unwrap();

        let header = |alg: &str, kid: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let foreign = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let by_secret = |secret: &[u8], signed: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed).as_ref().to_vec()
        };
        let mut pointing = header("RS256", &kid);
        pointing["jku"] = json!("https://evil.example/jwks.json");
        let mut forged = vec![
            forge(&header("none", &kid), payload, |_| Vec::new()),
            forge(&json!({ "alg": "none" }), payload, |_| Vec::new()),
            forge(&header("HS256", &kid), payload, |signed| by_secret(&modulus, signed)),
            forge(&header("HS256", &kid), payload, |signed| {
                by_secret(keys[0].n.as_ref().unwrap().as_bytes(), signed)
            }),
            forge(&header("RS256", &kid), payload, |signed| rs256(&foreign, signed)),
            forge(&pointing, payload, |signed| rs256(&foreign, signed)),
            format!("{token}A"),
            token[..token.len() - 4].to_owned(),
            "a.b.c".to_owned(),
        ];
        for kid in ["../../x", "' or 1=1", "", &"k".repeat(4_000)] {
            forged.push(forge(&header("RS256", kid), payload, |signed| rs256(&foreign, signed)));
        }
        for token in forged {
            assert_eq!(world.authenticate(&token).await.refusal(), ErrorCode::AuthTokenInvalid, "{token}");
        }
        assert_eq!(world.authenticate(&"x".repeat(8_193)).await.refusal(), ErrorCode::ValidationError);
    })
    .await;
}

/// A header that auth did sign, changed, and claims that it did not.
#[tokio::test]
async fn a_token_whose_parts_were_changed_is_refused() {
    on_each_database(async |world: &mut World| {
        let token = world.signed_in(ANA).await.access_token;
        let parts: Vec<&str> = token.split('.').collect();
        let changes = [
            ("sub", json!("00000000-0000-7000-8000-00000000dead")),
            ("pv", json!(99)),
            ("exp", json!(9_999_999_999_u64)),
        ];
        for (claim, value) in changes {
            let mut claims = claims_of(&token);
            claims[claim] = value;
            let forged = format!("{}.{}.{}", parts[0], BASE64.encode(claims.to_string()), parts[2]);
            assert_eq!(world.authenticate(&forged).await.refusal(), ErrorCode::AuthTokenInvalid, "{claim}");
        }
        for (member, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("passport+jwt")),
            ("crit", json!(["b64"])),
            ("alg", json!("RS512")),
        ] {
            let mut header = header_of(&token);
            header[member] = value;
            let forged = format!("{}.{}.{}", BASE64.encode(header.to_string()), parts[1], parts[2]);
            assert_eq!(world.authenticate(&forged).await.refusal(), ErrorCode::AuthTokenInvalid, "{member}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_good_within_its_time_and_the_leeway() {
    on_each_database(async |world: &mut World| {
        let token = world.signed_in(ANA).await.access_token;
        world.wait(929);
        world.authenticate(&token).await.unwrap();
        world.wait(1);
        assert_eq!(world.authenticate(&token).await.refusal(), ErrorCode::AuthTokenExpired);
        let begun = claims_of(&token)["nbf"].as_i64().unwrap();
        world.clock.set(chrono::DateTime::from_timestamp(begun - 30, 0).unwrap());
        world.authenticate(&token).await.unwrap();
        world.clock.set(chrono::DateTime::from_timestamp(begun - 31, 0).unwrap());
        assert_eq!(world.authenticate(&token).await.refusal(), ErrorCode::AuthTokenInvalid);
    })
    .await;
}

#[tokio::test]
async fn a_passport_is_no_access_token_and_an_access_token_no_passport() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let passport = world.passport(&tokens).await;
        assert!(passport.len() <= 4_096);
        let me = async |passport: &str| {
            hear(world.gateway.profiles().get_me(by(passport, pb::GetMeRequest {})).await)
        };
        me(&passport).await.unwrap();

        assert_eq!(world.authenticate(&passport).await.refusal(), ErrorCode::AuthTokenInvalid);
        assert_eq!(me(&tokens.access_token).await.refusal(), ErrorCode::Unauthenticated);
        assert_eq!(me(tokens.refresh_token.as_deref().unwrap()).await.refusal(), ErrorCode::Unauthenticated);
        let claims = claims_of(&passport);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
        world.wait(60);
        assert_eq!(me(&passport).await.refusal(), ErrorCode::Unauthenticated);
    })
    .await;
}
