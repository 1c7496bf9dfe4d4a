//! What a call passes once its connection stands: policy, rules, passport, deadline, and what the
//! handler learns of it.

use std::time::Duration;

use mesh::passport::{AUDIENCE, Claims};
use proto::auth::session_service_client::SessionServiceClient;
use proto::{ErrorCode, ServiceError, metadata};
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use crate::world::{World, code, event, publish, send};

#[tokio::test]
async fn a_member_that_the_policy_names_is_served() {
    let world = World::new();
    let mut served = world.serve().await;
    publish(&world.channel("auth", &[served.address])).await.unwrap();
    let context = served.contexts.recv().await.unwrap();
    assert_eq!(context.peer.as_str(), "spiffe://platform.local/auth");
    assert!(context.caller().is_err_and(|error| error.code() == ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn a_member_that_the_policy_does_not_name_is_refused_and_nothing_runs() {
    let world = World::new();
    let served = world.serve().await;
    let channel = world.channel("gateway", &[served.address]);
    assert_eq!(code(publish(&channel).await), ErrorCode::PermissionDenied);
    assert_eq!(served.ran(), 0);
    let unknown =
        SessionServiceClient::new(channel).logout(proto::auth::LogoutRequest::default()).await.unwrap_err();
    assert_eq!(ServiceError::from_status(&unknown).code(), ErrorCode::PermissionDenied);
}

#[tokio::test]
async fn health_is_open_to_every_member() {
    let world = World::new();
    let served = world.serve().await;
    let mut health = HealthClient::new(world.channel("gateway", &[served.address]));
    let answer = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);
}

#[tokio::test]
async fn a_message_against_the_rules_never_reaches_the_handler() {
    let world = World::new();
    let served = world.serve().await;
    let mut request = event();
    request.event.as_mut().unwrap().id = "no uuid".to_owned();
    let refusal = send(&world.channel("auth", &[served.address]), Request::new(request)).await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::ValidationError);
    assert_eq!(refusal.violations()[0].field, "event.id");
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn a_passport_becomes_the_caller() {
    let world = World::new();
    let mut served = world.serve().await;
    let claims = claims(&world);
    let mut request = Request::new(event());
    let passport = world.signer.sign(&claims).unwrap();
    request.metadata_mut().insert(metadata::PASSPORT, passport.parse().unwrap());
    request.metadata_mut().insert(metadata::CLIENT_IP, "192.0.2.7".parse().unwrap());
    request.metadata_mut().insert(metadata::REQUEST_ID, "r-1".parse().unwrap());
    send(&world.channel("auth", &[served.address]), request).await.unwrap();
    let context = served.contexts.recv().await.unwrap();
    let caller = context.caller().unwrap();
    assert_eq!((caller.user_id, caller.session_id), (claims.sub, claims.sid));
    assert_eq!(*caller.permissions, ["session:read:self".to_owned()]);
    assert_eq!(context.request_id, "r-1");
    assert_eq!(context.client_ip, Some("192.0.2.7".parse().unwrap()));
}

#[tokio::test]
async fn a_bad_passport_is_refused_and_nothing_runs() {
    let world = World::new();
    let served = world.serve().await;
    let mut request = Request::new(event());
    request.metadata_mut().insert(metadata::PASSPORT, "forged".parse().unwrap());
    let channel = world.channel("auth", &[served.address]);
    assert_eq!(code(send(&channel, request).await), ErrorCode::Unauthenticated);
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn a_slow_handler_ends_at_the_caller_s_deadline() {
    let world = World::new();
    let mut served = world.serve().await;
    let _held = served.hold().await;
    let mut request = Request::new(event());
    request.set_timeout(Duration::from_millis(200));
    let channel = world.channel("auth", &[served.address]);
    assert_eq!(code(send(&channel, request).await), ErrorCode::UpstreamTimeout);
    let context = served.contexts.recv().await.unwrap();
    assert!(context.time_left() <= Duration::from_millis(200));
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_and_breaks_no_other_call() {
    let world = World::new();
    let mut served = world.serve().await;
    let held = served.hold().await;
    let channel = world.channel("auth", &[served.address]);
    let panics = async {
        served.reached(1).await;
        served.gate.close();
    };
    let (outcome, ()) = tokio::join!(publish(&channel), panics);
    assert_eq!(code(outcome), ErrorCode::Internal);
    drop(held);
    assert!(HealthClient::new(channel).check(HealthCheckRequest::default()).await.is_ok());
}

fn claims(world: &World) -> Claims {
    let now = world.clock.now().timestamp();
    let id = Uuid::from_u128;
    Claims {
        iss: "http://127.0.0.1:8080".to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: id(1),
        tid: id(2),
        sid: id(3),
        jti: id(4),
        permissions: vec!["session:read:self".to_owned()],
        iat: now,
        exp: now + 60,
    }
}
