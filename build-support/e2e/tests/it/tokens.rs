//! Access tokens: anybody can verify ours by the published keys, and the edge takes no others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use proto::ErrorCode;
use serde_json::{Value, json};

use crate::judge::{Judge, refused};
use crate::sessions::claims;
use crate::world::{PUBLIC_URL, Person, World};

everywhere!(tokens_that_are_not_ours_are_refused);

async fn tokens_that_are_not_ours_are_refused(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let tokens = ana.login().await;
    let keys = ana.edge.get("/.well-known/jwks.json").send().await.expect(200);
    assert!(keys.header("cache-control").contains("max-age"), "{:?}", keys.headers);
    assert_eq!(ana.edge.get("/jw-certs").send().await.expect(200).body, keys.body);
    let key = verifying_key(&keys.body, &tokens.access);

    refused(&ana.edge.get("/me").send().await, ErrorCode::Unauthenticated);
    let query = format!("/me?access_token={}", tokens.access);
    refused(&ana.edge.get(&query).send().await, ErrorCode::Unauthenticated);
    let basic = ana.edge.get("/me").header("authorization", "Basic YW5hOnNlY3JldA==");
    refused(&basic.send().await, ErrorCode::AuthTokenInvalid);

    let (head, signature) = tokens.access.rsplit_once('.').unwrap();
    let mut raised = claims(&tokens.access);
    raised["sub"] = json!(uuid::Uuid::nil());
    let raised = URL_SAFE_NO_PAD.encode(raised.to_string());
    let kept = head.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "at+jwt"}).to_string());
    let forged = [
        "nonsense".to_owned(),
        format!("{head}.{}", signature.chars().rev().collect::<String>()),
        format!("{}.{raised}.{signature}", kept.0),
        format!("{none}.{}.", kept.1),
        signed_by_the_public_key(&keys.body, &tokens.access),
        tokens.refresh.clone(),
        "a".repeat(16 * 1024),
    ];
    for token in &forged {
        refused(&ana.me(token).await, ErrorCode::AuthTokenInvalid);
    }
    assert!(decode::<Value>(&forged[1], &key, &validation()).is_err());
    ana.me(&tokens.access).await.is(200);
}

/// Holds that the published keys verify an access token, as any service would with them.
fn verifying_key(set: &Value, token: &str) -> DecodingKey {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let jwk = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    assert_eq!((&jwk["kty"], &jwk["alg"], &jwk["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
    assert!(jwk.get("d").is_none(), "the private half is private");
    let part = |name: &str| jwk[name].as_str().unwrap();
    let key = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
    let said = decode::<Value>(token, &key, &validation()).unwrap().claims;
    for name in ["iss", "aud", "sub", "tid", "sid", "jti", "pv", "iat", "nbf", "exp"] {
        assert!(!said[name].is_null(), "no `{name}`: {said}");
    }
    assert!(said.get("permissions").is_none(), "{said}");
    key
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_nbf = true;
    validation.set_issuer(&[PUBLIC_URL]);
    validation.set_audience(&["platform"]);
    validation
}

/// The oldest forgery: what everybody may know, taken for a shared secret.
fn signed_by_the_public_key(set: &Value, token: &str) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = jsonwebtoken::decode_header(token).unwrap().kid;
    let modulus = set["keys"][0]["n"].as_str().unwrap();
    encode(&header, &claims(token), &EncodingKey::from_secret(modulus.as_bytes())).unwrap()
}
