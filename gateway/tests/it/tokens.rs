//! Tokens that are not good open nothing, and nobody is asked about them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::client::Ask;
use crate::world::World;

#[tokio::test]
async fn no_token_is_unauthenticated_wherever_else_one_may_be() {
    let world = World::new().await;
    let answer = world.ask(Ask::get("/me")).await;
    insta::assert_snapshot!(answer.line(), @r#"401 {"error":{"code":"UNAUTHENTICATED","message":"Sign in first."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let token = world.token();
    let in_query = world.ask(Ask::get(&format!("/me?access_token={token}"))).await;
    assert_eq!(in_query.code(), "UNAUTHENTICATED");
    let in_cookie = world.ask(Ask::get("/me").header("cookie", &format!("access_token={token}"))).await;
    assert_eq!(in_cookie.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn forged_tokens_are_invalid() {
    let world = World::new().await;
    let (auth, none) = (&world.auth, json!({}));
    let good = world.token();
    let signed = good.rsplit_once('.').unwrap().0;
    let with_public_key = |header| {
        let signed = auth.unsigned(&header, &none);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &auth.public_der());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
    };
    let forged = [
        ("no signature", format!("{signed}.")),
        ("another signature", format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 256]))),
        ("alg none", format!("{}.", auth.unsigned(&json!({"alg": "none"}), &none))),
        ("alg none, signed", auth.token(&json!({"alg": "none"}), &none)),
        ("HS256 with the public key", with_public_key(json!({"alg": "HS256"}))),
        ("another RSA algorithm", auth.token(&json!({"alg": "PS256"}), &none)),
        ("a key it brings itself", auth.token(&json!({"jwk": {"kty": "RSA"}}), &none)),
        ("a key from elsewhere", auth.token(&json!({"jku": "https://evil.example"}), &none)),
        ("an extension we do not know", auth.token(&json!({"crit": ["exp"]}), &none)),
        ("an unknown key", auth.token(&json!({"kid": "../../k1"}), &none)),
        ("no key", auth.token(&json!({"kid": null}), &none)),
        ("a passport's type", auth.token(&json!({"typ": "passport+jwt"}), &none)),
        ("no type", auth.token(&json!({"typ": null}), &none)),
        ("another issuer", auth.token(&none, &json!({"iss": "http://evil.example"}))),
        ("no issuer", auth.token(&none, &json!({"iss": null}))),
        ("another audience", auth.token(&none, &json!({"aud": "mesh"}))),
        ("several audiences", auth.token(&none, &json!({"aud": ["platform", "mesh"]}))),
        ("no end", auth.token(&none, &json!({"exp": null}))),
        ("no beginning", auth.token(&none, &json!({"nbf": null}))),
        ("not good yet", auth.token(&none, &json!({"nbf": world.clock.now().timestamp() + 31}))),
        ("no version", auth.token(&none, &json!({"pv": null}))),
        ("no user", auth.token(&none, &json!({"sub": "root"}))),
        ("a text", "abc".to_owned()),
        ("two parts", "abc.def".to_owned()),
        ("64 KiB", "a".repeat(20_000)),
    ];
    for (what, token) in forged {
        assert_eq!(world.me(&token).await.code(), "AUTH_TOKEN_INVALID", "{what}");
    }
    assert_eq!(world.auth.asked.load(Ordering::SeqCst), 0);
    assert_eq!(world.me(&good).await.code(), "OK");
    insta::assert_snapshot!(world.me("abc").await.line(), @r#"401 {"error":{"code":"AUTH_TOKEN_INVALID","message":"The token is not valid."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
}

#[tokio::test]
async fn a_token_ends_with_its_time_also_where_it_is_remembered() {
    let world = World::new().await;
    let token = world.token();
    assert_eq!(world.me(&token).await.code(), "OK");
    world.clock.advance(Duration::from_secs(900 + 29));
    assert_eq!(world.me(&token).await.code(), "OK", "within the leeway");
    world.clock.advance(Duration::from_secs(1));
    insta::assert_snapshot!(world.me(&token).await.line(), @r#"401 {"error":{"code":"AUTH_TOKEN_EXPIRED","message":"The token has expired."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
}

#[tokio::test]
async fn unknown_keys_do_not_make_the_edge_ask_again_and_again() {
    let world = World::new().await;
    assert_eq!(world.me(&world.token()).await.code(), "OK");
    let fetched = world.auth.keys_fetched.load(Ordering::SeqCst);
    for number in 0..20 {
        let token = world.auth.token(&json!({"kid": format!("k{number}-unknown")}), &json!({}));
        assert_eq!(world.me(&token).await.code(), "AUTH_TOKEN_INVALID");
    }
    assert!(world.auth.keys_fetched.load(Ordering::SeqCst) <= fetched + 1);
}
