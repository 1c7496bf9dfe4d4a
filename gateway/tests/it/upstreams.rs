//! Services that fail, are slow, are away; and an edge that ends.

use std::time::Duration;

use proto::{ErrorCode, ServiceError};
use tonic::{Code, Status};

use crate::client::{Ask, SOON};
use crate::world::{Mesh, Plan, World};

#[tokio::test]
async fn a_service_that_is_away_is_503_with_a_time_to_come_back() {
    let world = World::new().await;
    world.stop_auth().await;
    let answer = world.ask(Ask::post("/auth/login", r#"{"username":"ana","password":"x"}"#)).await;
    insta::assert_snapshot!(answer.line(), @r#"503 {"error":{"code":"SERVICE_UNAVAILABLE","message":"The service is not available. Try again shortly."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_504() {
    let world = Plan::default().set("GATEWAY_DEADLINE", "200ms").start(Mesh::new()).await;
    let mut held = world.hold_me().await;
    let answer = held.join_next().await.unwrap().unwrap();
    insta::assert_snapshot!(answer.line(), @r#"504 {"error":{"code":"UPSTREAM_TIMEOUT","message":"A service did not answer in time."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
}

#[tokio::test]
async fn what_services_say_of_failures_goes_out_only_where_it_is_safe() {
    let world = World::new().await;
    let secret = "SELECT * FROM users at db-7.internal";
    let own = ServiceError::new(ErrorCode::AuthAccountBanned).source(secret);
    let named = ServiceError::invalid("profile.displayName", "is taken").source(secret);
    for (status, expected) in [
        (Status::from(own), "403 AUTH_ACCOUNT_BANNED"),
        (Status::from(named), "400 VALIDATION_ERROR"),
        (Status::new(Code::Internal, secret), "500 INTERNAL"),
        (Status::new(Code::Unknown, secret), "502 UPSTREAM_FAILURE"),
        (Status::new(Code::ResourceExhausted, secret), "503 OVERLOADED"),
        (Status::new(Code::OutOfRange, secret), "502 UPSTREAM_FAILURE"),
        (Status::new(Code::Unavailable, secret), "503 SERVICE_UNAVAILABLE"),
    ] {
        *world.auth.fails.lock().unwrap() = Some(status);
        let answer = world.me(&world.token()).await;
        assert_eq!(format!("{} {}", answer.status, answer.code()), expected);
        assert!(!answer.body.contains("SELECT") && !answer.body.contains("db-7"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_is_under_way_finishes_when_the_edge_ends() {
    let world = World::new().await;
    let held = world.hold_me().await;
    world.lifecycle.shutdown();
    world.auth.gate.add_permits(1);
    assert_eq!(held.join_all().await[0].status, 200);
    assert_eq!(world.lifecycle.wait(SOON).await, Ok(()));
    let refused = tokio::net::TcpStream::connect(world.edge).await;
    assert!(refused.is_err(), "nothing new is accepted");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let world = World::new().await;
    let mut idle = tokio::net::TcpStream::connect(world.edge).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut idle, b"GET /health HTTP/1.1\r\nhost: edge\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut idle, &mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    world.lifecycle.shutdown();
    assert_eq!(world.lifecycle.wait(Duration::from_secs(5)).await, Ok(()));
}
