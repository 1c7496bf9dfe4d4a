//! A session's end is its sockets' end, within a second.

use std::time::{Duration, Instant};

use chassis::{Fanout, Kv};
use proto::ErrorCode;
use proto::notify::SessionChanged;
use proto::notify::push::Told;
use serde_json::json;
use uuid::Uuid;

use super::stage::{NOWHERE, Stage};
use crate::auth::SESSION;

const OTHER_SESSION: Uuid = Uuid::from_u128(0x0192_f0c1_2345_7abc_8def_0000_0000_0004);

#[tokio::test]
async fn the_published_end_of_a_session_closes_its_sockets_though_the_broker_is_down() {
    let nowhere = format!("nats://{NOWHERE}").into();
    let stage = Stage::with(Fanout::connect(&nowhere, None).await.unwrap()).await;
    let gate = stage.gate(&[]).await;
    stage.say_active(OTHER_SESSION).await;
    let (mut ended, _) = gate.signed_in(&stage.token_for(900), None).await;
    let (mut other, _) = gate.signed_in(&stage.token(&json!({"sid": OTHER_SESSION})), None).await;
    let began = Instant::now();
    stage.say_ended(SESSION).await;
    assert_eq!(ended.code().await, 4401);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    other.is_quiet().await;
}

#[tokio::test]
async fn where_the_access_state_is_silent_auth_is_asked() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let silent = Uuid::from_u128(7);
    let (mut window, _) = gate.signed_in(&stage.token(&json!({"sid": silent})), None).await;
    window.is_quiet().await;
    *stage.auth.refuses.lock().unwrap() = Some(ErrorCode::AuthTokenRevoked);
    let began = Instant::now();
    assert_eq!(window.code().await, 4401);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn where_the_store_is_away_auth_is_asked() {
    let mut stage = Stage::new().await;
    stage.kv = Kv::connect(&format!("redis://{NOWHERE}").into()).await.unwrap();
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    *stage.auth.refuses.lock().unwrap() = Some(ErrorCode::AuthTokenRevoked);
    let began = Instant::now();
    assert_eq!(window.code().await, 4401);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn outdated_rights_and_an_auth_that_is_away_close_nothing() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token(&json!({"sid": Uuid::from_u128(7)})), None).await;
    for code in [ErrorCode::AuthTokenStale, ErrorCode::ServiceUnavailable] {
        *stage.auth.refuses.lock().unwrap() = Some(code);
        let asked = stage.auth.asked.load(std::sync::atomic::Ordering::SeqCst);
        while stage.auth.asked.load(std::sync::atomic::Ordering::SeqCst) < asked + 2 {
            tokio::task::yield_now().await;
        }
        window.is_quiet().await;
        window.send(&json!({"event": "notification:read-all", "id": "1"})).await;
        assert_eq!(window.event("error").await["code"], code.as_str());
    }
}

#[tokio::test]
async fn the_push_of_a_sessions_end_is_told_to_all_and_closes_its_own() {
    let stage = Stage::new().await;
    stage.say_active(OTHER_SESSION).await;
    let gate = stage.gate(&[]).await;
    let (mut ended, _) = gate.signed_in(&stage.token_for(900), None).await;
    let (mut other, _) = gate.signed_in(&stage.token(&json!({"sid": OTHER_SESSION})), None).await;
    let told = SessionChanged {
        session_id: SESSION.to_string(),
        status: "revoked".into(),
        reason: "password_changed".into(),
    };
    stage.publish(&stage.notify.push(Told::Session(told))).await;
    for window in [&mut ended, &mut other] {
        let session = window.event("user:session").await;
        let told = json!({"sessionId": SESSION, "status": "revoked", "reason": "password_changed"});
        assert_eq!(session, told);
    }
    assert_eq!(ended.code().await, 4401);
    other.is_quiet().await;
}

#[tokio::test]
async fn a_revoked_session_marks_nothing_as_read() {
    let stage = Stage::new().await;
    stage.notify.write("a");
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    *stage.auth.refuses.lock().unwrap() = Some(ErrorCode::AuthTokenRevoked);
    window.send(&json!({"event": "notification:read-all", "id": "1"})).await;
    assert_eq!(window.event("error").await["code"], "AUTH_TOKEN_REVOKED");
    assert_eq!(window.code().await, 4401);
    *stage.auth.refuses.lock().unwrap() = None;
    let (_, greeting) = gate.signed_in(&stage.token_for(900), None).await;
    assert_eq!(greeting["unreadCount"], 1);
}

#[tokio::test]
async fn a_token_ends_its_socket_unless_another_takes_its_place() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut renewed, _) = gate.signed_in(&stage.token_for(2), None).await;
    let (mut ended, _) = gate.signed_in(&stage.token_for(2), None).await;
    let greeting = renewed.sign_in(&stage.token_for(900), None).await;
    assert_eq!(greeting["seq"], 0);
    assert_eq!(ended.code().await, 4401);
    renewed.is_quiet().await;
    stage.say("still here").await;
    assert_eq!(renewed.titles(1).await, ["still here"]);
}

#[tokio::test]
async fn nobody_takes_over_another_persons_socket() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    let stranger = stage.token(&json!({"sub": Uuid::from_u128(1)}));
    window.send(&json!({"event": "AUTH", "data": {"token": stranger}, "id": "1"})).await;
    assert_eq!(window.event("error").await["code"], "AUTH_TOKEN_INVALID");
    assert_eq!(window.code().await, 4401);
}
