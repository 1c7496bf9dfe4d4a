//! Who gets a socket, and who keeps it.

use serde_json::json;

use super::stage::{Gate, Stage};
use super::window::Window;
use crate::client::Ask;

#[tokio::test]
async fn without_an_upgrade_there_is_no_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let answer = Ask::get("/ws").send(gate.address).await;
    insta::assert_snapshot!(answer.line(), @r#"426 {"error":{"code":"MALFORMED_REQUEST","message":"The request could not be read."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(Ask::post("/ws", "{}").send(gate.address).await.code(), "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn pages_from_elsewhere_get_no_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[("CORS_ORIGINS", "https://app.example")]).await;
    let refused = Window::open_from(gate.address, Some("https://evil.example")).await.err().unwrap();
    assert_eq!(refused.0, 403);
    assert!(refused.1.contains("PERMISSION_DENIED"), "{}", refused.1);
    for origin in ["https://app.example", "http://edge.test", &format!("http://{}", gate.address)] {
        assert!(Window::open_from(gate.address, Some(origin)).await.is_ok(), "{origin}");
    }
}

#[tokio::test]
async fn silence_and_any_other_frame_than_auth_end_a_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[("GATEWAY_SOCKET_AUTH_TIMEOUT", "200ms")]).await;
    assert_eq!(gate.window().await.code().await, 4401);
    let gate = stage.gate(&[]).await;
    let mut window = gate.window().await;
    window.send(&json!({"event": "ping"})).await;
    assert_eq!(window.code().await, 4401);
}

#[tokio::test]
async fn a_bad_token_is_an_error_and_then_the_end() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    for (token, code) in
        [("abc".to_owned(), "AUTH_TOKEN_INVALID"), (stage.token_for(0), "AUTH_TOKEN_EXPIRED")]
    {
        let mut window = gate.window().await;
        window.send(&json!({"event": "AUTH", "data": {"token": token}})).await;
        assert_eq!(window.event("error").await["code"], code);
        assert_eq!(window.code().await, 4401);
    }
}

#[tokio::test]
async fn a_malformed_since_is_an_error_and_may_be_mended() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let mut window = gate.window().await;
    let token = stage.token_for(900);
    for since in [json!(-1), json!("x"), json!(1.5), json!({})] {
        window.send(&json!({"event": "AUTH", "data": {"token": token, "since": since}})).await;
        assert_eq!(window.event("error").await["code"], "VALIDATION_ERROR");
    }
    window.sign_in(&token, None).await;
}

#[tokio::test]
async fn giant_frames_and_floods_end_a_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    window.send_text(&"x".repeat(17 * 1024)).await;
    assert_eq!(window.code().await, 1009);
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    for _ in 0..300 {
        window.send(&json!({"event": "ping"})).await;
    }
    let (code, frames) = window.code_after_frames().await;
    assert_eq!(code, 4429);
    assert!(frames < 200, "{frames} frames were answered");
}

#[tokio::test]
async fn a_person_and_an_address_have_so_many_sockets() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[("GATEWAY_SOCKETS_PER_USER_MAX", "2")]).await;
    let token = stage.token_for(900);
    let _kept = (gate.signed_in(&token, None).await, gate.signed_in(&token, None).await);
    assert_eq!(refused(&gate, &token).await, 4429);

    let gate = stage.gate(&[("GATEWAY_SOCKETS_PER_ADDRESS_MAX", "2")]).await;
    let _kept = (gate.window().await, gate.window().await);
    assert_eq!(gate.window().await.code().await, 4429);

    let gate = stage.gate(&[("GATEWAY_SOCKETS_MAX", "1")]).await;
    let _kept = gate.window().await;
    assert_eq!(Window::open_from(gate.address, None).await.err().unwrap().0, 503);
}

async fn refused(gate: &Gate, token: &str) -> u16 {
    let mut window = gate.window().await;
    window.send(&json!({"event": "AUTH", "data": {"token": token}})).await;
    window.code().await
}

#[tokio::test]
async fn while_notify_is_away_nobody_is_taken_in_and_all_are_told_to_come_again() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    *stage.notify.fails.lock().unwrap() = Some(proto::ErrorCode::ServiceUnavailable);
    let mut window = gate.window().await;
    window.send(&json!({"event": "AUTH", "data": {"token": stage.token_for(900)}, "id": "1"})).await;
    assert_eq!(window.event("error").await["code"], "SERVICE_UNAVAILABLE");
    assert_eq!(window.code().await, 1012);
    *stage.notify.fails.lock().unwrap() = None;
    gate.signed_in(&stage.token_for(900), None).await;
}
