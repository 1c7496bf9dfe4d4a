//! The signing keys as others see them: the public halves, and one ring for each kind of token.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proto::ErrorCode;
use proto::auth as pb;

use crate::people::refresh_token;
use crate::voices::{Refusal, hear};
use crate::world::{ANA, PASSWORD, SEALING_KEY, World, on_each_database};

const DAY: u64 = 86_400;

async fn access_keys(world: &World) -> Vec<pb::Key> {
    hear(world.gateway.keys().get_key_set(pb::GetKeySetRequest {}).await).unwrap().keys
}

fn kid_of(token: &str) -> String {
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<serde_json::Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_key_sets_have_exactly_the_public_members() {
    on_each_database(async |world: &mut World| {
        let keys = access_keys(world).await;
        assert_eq!(keys.len(), 1);
        let key = &keys[0];
        assert_eq!((key.kty.as_str(), key.r#use.as_str(), key.alg.as_str()), ("RSA", "sig", "RS256"));
        assert_eq!(BASE64.decode(key.n.as_ref().unwrap()).unwrap().len(), 256);
        assert_eq!(key.e.as_deref(), Some("AQAB"));
        assert_eq!((&key.crv, &key.x, &key.y), (&None, &None, &None));

        let keys = hear(world.mailer.keys().get_passport_key_set(pb::GetPassportKeySetRequest {}).await)
            .unwrap()
            .keys;
        assert_eq!(keys.len(), 1);
        let key = &keys[0];
        assert_eq!((key.kty.as_str(), key.r#use.as_str(), key.alg.as_str()), ("OKP", "sig", "EdDSA"));
        assert_eq!(key.crv.as_deref(), Some("Ed25519"));
        assert_eq!(BASE64.decode(key.x.as_ref().unwrap()).unwrap().len(), 32);
        assert_eq!((&key.n, &key.e, &key.y), (&None, &None, &None));
        let jwks = world.rows.select("SELECT CAST(public_jwk AS text) FROM signing_key").await;
        assert!(jwks.iter().all(|jwk| !jwk.contains("\"d\"") && !jwk.contains("\"p\"")), "{jwks:?}");

        let refused = hear(world.mailer.keys().get_key_set(pb::GetKeySetRequest {}).await);
        assert_eq!(refused.refusal(), ErrorCode::PermissionDenied);
    })
    .await;
}

#[tokio::test]
async fn keys_are_the_same_after_a_restart_and_in_every_process() {
    on_each_database(async |world: &mut World| {
        let token = world.signed_in(ANA).await.access_token;
        let kids: BTreeSet<_> = access_keys(world).await.into_iter().map(|key| key.kid).collect();
        world.kill_auth();
        world.start_auth(&[]).await;
        assert_eq!(access_keys(world).await.into_iter().map(|key| key.kid).collect::<BTreeSet<_>>(), kids);
        world.authenticate(&token).await.unwrap();
    })
    .await;
}

/// The sealing key changes between a refresh and its repetition, and between a mail's asking and its sending.
#[tokio::test]
async fn a_new_sealing_key_makes_no_thief_of_an_honest_client_and_no_dead_link() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let renewed = world.refresh(refresh_token(&tokens)).await.unwrap();
        world.register("bob@example.org", PASSWORD).await.unwrap();
        let reference = world.notify.next("user.registered").await.secret_reference.unwrap();

        let keys = format!("k2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,{SEALING_KEY}");
        world.kill_auth();
        world.start_auth(&[("AUTH_SEALING_KEY", &keys)]).await;
        let repeated = world.refresh(refresh_token(&tokens)).await.unwrap();
        assert_eq!(refresh_token(&repeated), refresh_token(&renewed));
        world.authenticate(&repeated.access_token).await.unwrap();
        world.refresh(refresh_token(&repeated)).await.unwrap();
        let mail = world.reveal(&reference).await.unwrap();
        world.verify_by_token(&mail.token).await.unwrap();
    })
    .await;
}

/// A start is a turn: no timer is waited for.
#[tokio::test]
async fn a_key_is_published_before_it_signs_and_verifies_after() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let first = world.login(ANA, PASSWORD).await.unwrap();
        world.wait(30 * DAY - 3_600);
        world.kill_auth();
        world.start_auth(&[("AUTH_REFRESH_TOKEN_TTL", "60d")]).await;
        let kids: Vec<_> = access_keys(world).await.into_iter().map(|key| key.kid).collect();
        assert_eq!(kids.len(), 2, "the next one is there");
        let before = world.login(ANA, PASSWORD).await.unwrap();
        assert_eq!(kid_of(&before.access_token), kid_of(&first.access_token));

        world.wait(3_600);
        world.kill_auth();
        world.start_auth(&[("AUTH_ACCESS_TOKEN_TTL", "1h")]).await;
        let after = world.login(ANA, PASSWORD).await.unwrap();
        assert_ne!(kid_of(&after.access_token), kid_of(&before.access_token));
        assert!(kids.contains(&kid_of(&after.access_token)));
        let renewed = world.refresh(refresh_token(&before)).await.unwrap();
        for token in [&after.access_token, &renewed.access_token] {
            world.authenticate(token).await.unwrap();
        }
        assert_eq!(access_keys(world).await.len(), 2, "the old one still verifies");
        assert_eq!(world.authenticate(&before.access_token).await.refusal(), ErrorCode::AuthTokenExpired);
    })
    .await;
}
