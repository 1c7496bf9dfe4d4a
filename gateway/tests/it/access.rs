//! Whether a good token still stands: the published access state and auth, and neither of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chassis::Kv;
use proto::{ErrorCode, kv};
use secrecy::SecretString;

use crate::auth::{SESSION, TENANT, USER};
use crate::client::Ask;
use crate::world::{Mesh, Plan, World};

fn asked(world: &World) -> usize {
    world.auth.asked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn while_the_published_state_agrees_auth_is_asked_once() {
    let world = World::new().await;
    let token = world.token();
    world.publish_access().await;
    for _ in 0..5 {
        assert_eq!(world.me(&token).await.code(), "OK");
    }
    assert_eq!(asked(&world), 1);
    world.clock.advance(Duration::from_secs(31));
    world.publish_access().await;
    assert_eq!(world.me(&token).await.code(), "OK");
    assert_eq!(asked(&world), 2, "an answer is remembered for half a minute");
}

#[tokio::test]
async fn an_ended_session_is_refused_on_the_next_request_without_asking() {
    let world = World::new().await;
    let token = world.token();
    world.publish_access().await;
    assert_eq!(world.me(&token).await.code(), "OK");
    world.put(&kv::access_key(SESSION), "4 ended").await;
    insta::assert_snapshot!(world.me(&token).await.line(), @r#"401 {"error":{"code":"AUTH_TOKEN_REVOKED","message":"The token has been revoked."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(asked(&world), 1);
}

#[tokio::test]
async fn moved_rights_of_user_or_role_make_the_token_stale() {
    for key in [kv::user_version_key(USER), kv::role_version_key(TENANT, "USER")] {
        let world = World::new().await;
        let token = world.token();
        world.publish_access().await;
        assert_eq!(world.me(&token).await.code(), "OK");
        world.put(&key, "8").await;
        let answer = world.me(&token).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.line(), @r#"401 {"error":{"code":"AUTH_TOKEN_STALE","message":"The token is out of date."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
        }
    }
}

#[tokio::test]
async fn whatever_is_missing_or_in_doubt_is_asked_about_every_time() {
    let world = World::new().await;
    let token = world.token();
    for expected in 1..=3 {
        assert_eq!(world.me(&token).await.code(), "OK");
        assert_eq!(asked(&world), expected, "nothing is published");
    }
    world.publish_access().await;
    world.put(&kv::access_key(SESSION), "3 doubt").await;
    assert_eq!(world.me(&token).await.code(), "OK");
    assert_eq!(asked(&world), 4);
    *world.auth.refuses.lock().unwrap() = Some(ErrorCode::AuthTokenRevoked);
    assert_eq!(world.me(&token).await.code(), "AUTH_TOKEN_REVOKED", "auth's word goes out");
}

#[tokio::test]
async fn an_emptied_store_never_revives_a_session() {
    let world = World::new().await;
    let token = world.token();
    world.publish_access().await;
    assert_eq!(world.me(&token).await.code(), "OK");
    *world.auth.refuses.lock().unwrap() = Some(ErrorCode::AuthTokenRevoked);
    world.kv.delete(&kv::access_key(SESSION)).await.unwrap();
    assert_eq!(world.me(&token).await.code(), "AUTH_TOKEN_REVOKED");
    world.publish_access().await;
    assert_eq!(
        world.me(&token).await.code(),
        "AUTH_TOKEN_REVOKED",
        "a refusal is not remembered as an answer"
    );
}

#[tokio::test]
async fn with_auth_away_only_what_the_state_vouches_for_goes_on() {
    let world = World::new().await;
    let token = world.token();
    world.publish_access().await;
    *world.auth.permissions.lock().unwrap() = vec!["route:read".to_owned()];
    let routes = || Ask::get("/admin/routes").token(&token);
    assert_eq!(world.ask(routes()).await.code(), "OK");
    world.stop_auth().await;
    assert_eq!(world.ask(routes()).await.code(), "OK", "the edge answers this one by itself");

    world.kv.delete(&kv::access_key(SESSION)).await.unwrap();
    let answer = world.ask(routes()).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn with_the_store_away_auth_is_asked_and_with_both_away_nobody_gets_in() {
    // Nobody listens on port 1.
    let nowhere = Kv::connect(&SecretString::from("redis://127.0.0.1:1")).await.unwrap();
    let world = Plan::default().store(nowhere).start(Mesh::new()).await;
    let token = world.token();
    for expected in 1..=2 {
        assert_eq!(world.me(&token).await.code(), "OK");
        assert_eq!(asked(&world), expected, "nothing remembered is used");
    }
    world.stop_auth().await;
    assert_eq!(world.me(&token).await.code(), "SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn many_requests_at_once_ask_a_few_times() {
    let world = World::new().await;
    let token = world.token();
    world.publish_access().await;
    let burst = (0..20).map(|_| Ask::get("/me").token(&token).send(world.edge));
    let mut answers = tokio::task::JoinSet::new();
    burst.for_each(|ask| drop(answers.spawn(ask)));
    for answer in answers.join_all().await {
        assert_eq!(answer.code(), "OK");
    }
    assert!(asked(&world) <= 4, "{}", asked(&world));
}
