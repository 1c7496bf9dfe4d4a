//! Rate limits and bounds, seen from outside.

use std::time::Duration;

use chassis::Kv;
use proto::ServiceError;
use secrecy::SecretString;
use tokio::task::JoinSet;

use crate::client::Ask;
use crate::world::{Mesh, Plan, World};

const WRONG: &str = r#"{"email":"Ana@Example.org","password":"wrong"}"#;

#[tokio::test]
async fn failed_logins_are_counted_by_account_and_network_and_right_ones_are_not() {
    let world = World::new().await;
    for _ in 0..15 {
        let right =
            world.ask(Ask::post("/auth/login", r#"{"email":"ana@example.org","password":"right"}"#)).await;
        assert_eq!(right.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(world.ask(Ask::post("/auth/login", WRONG)).await.code(), "AUTH_INVALID_CREDENTIALS");
    }
    let refused = world.ask(Ask::post("/auth/login", WRONG)).await;
    insta::assert_snapshot!(refused.line(), @r#"429 {"error":{"code":"RATE_LIMITED","message":"Too many requests. Try again later."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(refused.header("ratelimit"), Some("\"login-email\";r=0;t=30"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"login-email\";q=10;w=300"));
    assert_eq!(refused.header("retry-after"), Some("30"));
    let other = world.ask(Ask::post("/auth/login", r#"{"email":"bo@example.org","password":"wrong"}"#)).await;
    assert_eq!(other.code(), "AUTH_INVALID_CREDENTIALS", "another account is not concerned");
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.ask(Ask::post("/auth/login", WRONG)).await.code(), "AUTH_INVALID_CREDENTIALS");
}

#[tokio::test]
async fn wrong_logins_at_once_are_compared_no_more_often_than_one_after_the_other() {
    let world = World::new().await;
    assert_eq!(compared(&world, &["127.0.0.1"; 110]).await, 10);
}

#[tokio::test]
async fn from_however_many_networks_an_account_is_tried_so_often_and_no_more() {
    let world = Plan::default().set("TRUSTED_PROXIES", "127.0.0.0/8").start(Mesh::new()).await;
    let networks: Vec<String> = (0..31).map(|last| format!("192.0.2.{last}")).collect();
    let clients: Vec<&str> = (0..10).flat_map(|_| networks.iter().map(String::as_str)).collect();
    assert_eq!(compared(&world, &clients).await, 300);
}

/// How many wrong logins reach auth of one from each of these clients, all at once.
async fn compared(world: &World, clients: &[&str]) -> usize {
    let mut tried = JoinSet::new();
    for client in clients {
        tried.spawn(Ask::post("/auth/login", WRONG).header("x-forwarded-for", client).send(world.edge));
    }
    let codes = tried.join_all().await.into_iter().map(|answer| answer.code());
    codes.filter(|code| code == "AUTH_INVALID_CREDENTIALS").count()
}

#[tokio::test]
async fn a_service_that_is_away_costs_nobody_their_tries() {
    let world = World::new().await;
    *world.auth.fails.lock().unwrap() = Some(ServiceError::unavailable("away").into());
    for _ in 0..15 {
        assert_eq!(world.ask(Ask::post("/auth/login", WRONG)).await.code(), "SERVICE_UNAVAILABLE");
    }
}

#[tokio::test]
async fn answers_say_what_is_left() {
    let world = World::new().await;
    let answer = world.ask(Ask::post("/auth/refresh", r#"{"refreshToken":"x"}"#)).await;
    assert_eq!(answer.header("ratelimit-policy"), Some("\"refresh\";q=600;w=60"));
    assert!(answer.header("ratelimit").unwrap().starts_with("\"refresh\";r=599;t="));
    assert_eq!(world.me(&world.token()).await.header("ratelimit"), None);
}

#[tokio::test]
async fn with_the_store_away_the_limit_is_local_and_stricter() {
    let nowhere = Kv::connect(&SecretString::from("redis://127.0.0.1:1")).await.unwrap();
    let world = Plan::default().store(nowhere).start(Mesh::new()).await;
    let mut refused_after = 0;
    while world.ask(Ask::post("/auth/login", WRONG)).await.code() != "RATE_LIMITED" {
        refused_after += 1;
    }
    assert_eq!(refused_after, 5);
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_are_refused_at_once() {
    let world = Plan::default().set("GATEWAY_REQUESTS_MAX", "1").start(Mesh::new()).await;
    let first = world.hold_me().await;
    let refused = world.ask(Ask::get("/.well-known/jwks.json")).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "OVERLOADED"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(world.ask(Ask::get("/health")).await.code(), "OK", "health needs no room");
    world.auth.gate.add_permits(1);
    assert_eq!(first.join_all().await[0].status, 200);
}
