//! What sockets and sendings are refused.

use std::time::{Duration, Instant};

use proto::ErrorCode;
use serde_json::{Value, json};
use testkit::http::Call;
use uuid::Uuid;

use super::reader::{Reader, Sender, note};
use crate::judge::{Judge, refused};
use crate::world::{PUBLIC_URL, Socket, Stand, World};

everywhere!(
    a_socket_needs_a_hand_shake_and_no_foreign_page_gets_one,
    nothing_is_told_to_whoever_does_not_sign_in,
    nobody_sends_without_the_right_to,
    nobody_reads_what_is_not_theirs,
);

async fn a_socket_needs_a_hand_shake_and_no_foreign_page_gets_one(world: &World) {
    let plain = world.edge.get("/ws").send().await.expect(426);
    assert_eq!(plain.code(), "MALFORMED_REQUEST");
    assert_eq!(plain.header("upgrade"), "websocket");
    for origin in ["https://evil.example", "null", "http://platform.example.evil.example"] {
        refused(&hand_shake(world).header("origin", origin).send().await, ErrorCode::PermissionDenied);
    }
    hand_shake(world).header("origin", PUBLIC_URL).send().await.is(101);
    hand_shake(world).send().await.is(101);
}

async fn nothing_is_told_to_whoever_does_not_sign_in(world: &World) {
    let ana = Reader::settled(world, "ana").await;
    for first in [
        json!({"event": "ping", "id": "1"}),
        json!({"event": "notification:read-all", "data": {"token": ana.tokens.access}}),
        json!({"event": "no such event"}),
    ] {
        let mut socket = Socket::open(&world.edge_address()).await;
        socket.say(&first).await;
        assert_eq!(end(&mut socket).await.1, 4401, "{first}");
    }
    let left = ana.person.login().await;
    ana.person.post("/auth/logout", &left.access, &json!({})).await.is(200);
    for (token, code) in [
        ("no token", ErrorCode::AuthTokenInvalid),
        (ana.tokens.refresh.as_str(), ErrorCode::AuthTokenInvalid),
        (left.access.as_str(), ErrorCode::AuthTokenRevoked),
    ] {
        let mut socket = Socket::open(&world.edge_address()).await;
        socket.say(&json!({"event": "AUTH", "id": "in", "data": {"token": token}})).await;
        let (told, closed) = end(&mut socket).await;
        assert_eq!((told.len(), closed), (1, 4401), "{told:?}");
        assert_eq!((&told[0]["event"], &told[0]["id"]), (&json!("error"), &json!("in")), "{told:?}");
        assert_eq!(told[0]["data"]["code"], code.as_str(), "{told:?}");
    }
}

async fn nobody_sends_without_the_right_to(world: &World) {
    let sender = Sender::signed_in(world).await;
    let (ana, binh) = (Reader::settled(world, "ana").await, Reader::settled(world, "binh").await);
    let mut window = ana.window(world).await;
    let spam = note(&ana, "Buy this");
    let by_binh = binh.person.post("/admin/notifications", &binh.tokens.access, &spam).await;
    refused(&by_binh, ErrorCode::PermissionDenied);
    let by_nobody = world.edge.post("/admin/notifications").json(&spam).send().await;
    refused(&by_nobody, ErrorCode::Unauthenticated);

    sender.tell(&ana, "Dinner is ready").await.is(202);
    assert_eq!(window.is_told().await["title"], "Dinner is ready");
    assert_eq!(ana.list().await.len(), 2);
}

async fn nobody_reads_what_is_not_theirs(world: &World) {
    let (ana, binh) = (Reader::settled(world, "ana").await, Reader::settled(world, "binh").await);
    let hers = ana.list().await.remove(0)["id"].as_str().unwrap().to_owned();
    let mut window = binh.window(world).await;
    for id in [hers.as_str(), &Uuid::nil().to_string(), "no-id"] {
        let answer = window.asks("notification:read", json!({"id": id})).await;
        assert_eq!(
            (&answer["event"], &answer["data"]["code"]),
            (&json!("error"), &json!("NOT_FOUND")),
            "{id}"
        );
        let read =
            binh.person.post(&format!("/notifications/{id}/read"), &binh.tokens.access, &json!({})).await;
        refused(&read, ErrorCode::NotFound);
    }
    // The socket goes on, and nothing was read.
    window.takes_in_all().await;
    assert_eq!(window.unread, 1);
    assert_eq!(ana.unread_count().await["count"], 1);
}

#[tokio::test]
async fn who_does_not_sign_in_within_five_seconds_is_closed() {
    let world = World::with(Stand::Embedded, &[]).await;
    let began = Instant::now();
    let mut socket = Socket::open(&world.edge_address()).await;
    let (told, closed) = end(&mut socket).await;
    assert_eq!((told.len(), closed), (0, 4401));
    let took = began.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(8)).contains(&took), "{took:?}");
}

/// What a socket is still told, and the code that ends it.
async fn end(socket: &mut Socket) -> (Vec<Value>, u16) {
    let mut told = Vec::new();
    loop {
        match socket.hear().await {
            Ok(frame) => told.push(frame),
            Err(code) => return (told, code),
        }
    }
}

fn hand_shake(world: &World) -> Call {
    [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    .into_iter()
    .fold(world.edge.get("/ws"), |call, (name, value)| call.header(name, value))
}
