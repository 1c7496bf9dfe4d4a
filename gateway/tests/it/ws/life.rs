//! A socket's life, when nothing goes wrong.

use proto::notify::push::Told;
use proto::notify::{PermissionsChanged, ProfileChanged, SessionChanged};
use serde_json::json;

use super::stage::Stage;
use crate::auth::{SESSION, USER};

#[tokio::test]
async fn whoever_signs_in_is_told_where_their_inbox_stands_and_then_what_comes() {
    let stage = Stage::new().await;
    stage.notify.write("before");
    let gate = stage.gate(&[]).await;
    let expires = stage.clock.now().timestamp() + 900;
    let (mut window, greeting) = gate.signed_in(&stage.token_for(900), None).await;
    let until = chrono::DateTime::from_timestamp(expires, 0).unwrap();
    let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(
        greeting,
        json!({"userId": USER, "unreadCount": 1, "revision": 1, "seq": 1, "tokenExpiresAt": until})
    );
    stage.say("now").await;
    let data = window.event("notification:new").await;
    insta::assert_snapshot!(data, @r#"{"body":"","createdAt":"1970-01-01T00:00:00Z","id":"00000000-0000-0000-0000-000000000002","revision":2,"seq":2,"title":"now","type":"test.said","unreadCount":2}"#);
    window.leave().await;
}

#[tokio::test]
async fn every_frame_with_an_id_is_answered_with_it() {
    let stage = Stage::new().await;
    stage.notify.write("a");
    let gate = stage.gate(&[]).await;
    let mut window = gate.window().await;
    window.send(&json!({"event": "AUTH", "data": {"token": stage.token_for(900)}, "id": "0"})).await;
    assert_eq!(window.frame().await["id"], "0");
    window.send(&json!({"event": "ping", "id": 1})).await;
    assert_eq!(window.frame().await, json!({"event": "pong", "id": 1}));
    let id = uuid::Uuid::from_u128(1);
    window.send(&json!({"event": "notification:read", "data": {"id": id}, "id": "2"})).await;
    assert_eq!(window.frame().await, json!({"event": "ack", "id": "2"}));
    window.send(&json!({"event": "notification:read-all", "id": "3"})).await;
    assert_eq!(window.frame().await, json!({"event": "ack", "id": "3"}));
    window.send(&json!({"event": "notification:read", "data": {"id": "none"}, "id": "4"})).await;
    let error = window.frame().await;
    assert_eq!((&error["id"], &error["data"]["code"]), (&json!("4"), &json!("NOT_FOUND")));
}

#[tokio::test]
async fn bad_frames_are_answered_by_an_error_and_too_many_of_them_end_the_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    window.send_text("{").await;
    insta::assert_snapshot!(window.frame().await, @r#"{"data":{"code":"MALFORMED_REQUEST","message":"The request could not be read."},"event":"error"}"#);
    window.send(&json!({"event": "subscribe", "id": "1"})).await;
    insta::assert_snapshot!(window.frame().await, @r#"{"data":{"code":"VALIDATION_ERROR","message":"The request is not valid."},"event":"error","id":"1"}"#);
    window.send_binary(b"{}").await;
    assert_eq!(window.event("error").await["code"], "MALFORMED_REQUEST");
    for _ in 0..18 {
        window.send_text("[]").await;
    }
    assert_eq!(window.code_after_frames().await, (4400, 18));
}

#[tokio::test]
async fn all_windows_of_a_person_are_told_and_the_one_that_reads_too() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut one, _) = gate.signed_in(&stage.token_for(900), None).await;
    let (mut other, _) = gate.signed_in(&stage.token_for(900), None).await;
    stage.say("hello").await;
    for window in [&mut one, &mut other] {
        assert_eq!(window.titles(1).await, ["hello"]);
    }
    stage.publish(&stage.notify.read_all()).await;
    for window in [&mut one, &mut other] {
        let read = window.event("notification:read").await;
        assert_eq!(read, json!({"ids": [], "upToSeq": 1, "unreadCount": 0, "revision": 2}));
    }
    one.leave().await;
    stage.say("again").await;
    assert_eq!(other.titles(1).await, ["again"]);
}

#[tokio::test]
async fn what_changes_about_oneself_is_told_and_new_rights_close_nothing() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    let rights =
        PermissionsChanged { roles: vec!["USER".into()], permissions: vec!["user:read:self".into()] };
    stage.publish(&stage.notify.push(Told::Permissions(rights))).await;
    let profile = ProfileChanged { fields: vec!["displayName".into()] };
    stage.publish(&stage.notify.push(Told::Profile(profile))).await;
    let active =
        SessionChanged { session_id: SESSION.to_string(), status: "active".into(), reason: String::new() };
    stage.publish(&stage.notify.push(Told::Session(active))).await;
    let rights = window.event("user:permissions").await;
    assert_eq!(rights, json!({"roles": ["USER"], "permissions": ["user:read:self"]}));
    assert_eq!(window.event("user:profile").await, json!({"fields": ["displayName"]}));
    assert_eq!(window.event("user:session").await["status"], "active");
    window.is_quiet().await;
}

#[tokio::test]
async fn a_gateway_that_ends_tells_its_sockets_to_reconnect() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut signed_in, _) = gate.signed_in(&stage.token_for(900), None).await;
    let mut waiting = gate.window().await;
    gate.life.shutdown();
    assert_eq!(signed_in.code().await, 1012);
    assert_eq!(waiting.code().await, 1012);
    drop((signed_in, waiting));
    gate.life.wait(crate::client::SOON).await.unwrap();
}
