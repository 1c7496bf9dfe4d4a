//! Every refusal has the envelope and a code of the contract.

use crate::client::Ask;
use crate::world::{Mesh, Plan, World};

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::new().await;
    insta::assert_snapshot!(world.ask(Ask::get("/nowhere")).await.line(), @r#"404 {"error":{"code":"NOT_FOUND","message":"Not found."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    let roles = Ask::new("PUT", "/admin/users/1/roles")
        .token(&world.token())
        .header("content-type", "application/json");
    assert_eq!(
        world.ask(roles.clone()).await.code(),
        "PERMISSION_DENIED",
        "rights come before the path's id"
    );
    *world.auth.permissions.lock().unwrap() = vec!["user:write".to_owned()];
    let world_of_admin = world.auth.token(&serde_json::json!({}), &serde_json::json!({"pv": 8}));
    let roles = Ask::new("PUT", "/admin/users/1/roles")
        .token(&world_of_admin)
        .header("content-type", "application/json");
    assert_eq!(world.ask(roles.body(b"{")).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_verb_that_a_path_lacks_is_refused_with_those_it_has() {
    let world = World::new().await;
    let answer = world.ask(Ask::new("DELETE", "/me")).await;
    insta::assert_snapshot!(answer.line(), @r#"405 {"error":{"code":"METHOD_NOT_ALLOWED","message":"This method is not allowed here."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PATCH"));
    assert_eq!(world.ask(Ask::post("/health", "{}")).await.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn a_foreign_content_type_is_refused() {
    let world = World::new().await;
    let ask = Ask::new("POST", "/auth/login").header("content-type", "text/xml").body(b"<login/>");
    insta::assert_snapshot!(world.ask(ask).await.line(), @r#"415 {"error":{"code":"UNSUPPORTED_MEDIA_TYPE","message":"The content type is not supported."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    let packed = Ask::post("/auth/login", "{}").header("content-encoding", "gzip");
    assert_eq!(world.ask(packed).await.code(), "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn json_that_cannot_be_read_is_malformed() {
    let world = World::new().await;
    for body in
        [r#"{"email":"#, "[]", r#"{"email":"a","email":"b"}"#, r#"{"deviceType":"web","device_type":"web"}"#]
    {
        let answer = world.ask(Ask::post("/auth/login", body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "MALFORMED_REQUEST"), "{body}");
    }
    insta::assert_snapshot!(world.ask(Ask::post("/auth/login", "{")).await.line(), @r#"400 {"error":{"code":"MALFORMED_REQUEST","message":"The request could not be read."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_named_field_by_field() {
    let world = World::new().await;
    let body = r#"{"email":"a","password":"right","admin":true,"deviceType":"fridge"}"#;
    insta::assert_snapshot!(world.ask(Ask::post("/auth/login", body)).await.line(), @r#"400 {"error":{"code":"VALIDATION_ERROR","message":"The request is not valid.","details":[{"field":"admin","message":"is not known"},{"field":"deviceType","message":"is not a known value"},{"field":"email","message":"must have at least 3 characters"}]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    let list = Ask::get("/auth/sessions?limit=500&sort=up").token(&world.token());
    insta::assert_snapshot!(world.ask(list).await.line(), @r#"400 {"error":{"code":"VALIDATION_ERROR","message":"The request is not valid.","details":[{"field":"sort","message":"is not known"},{"field":"limit","message":"must be at most 100"}]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
}

#[tokio::test]
async fn names_that_clients_make_up_are_told_without_their_control_characters() {
    let world = World::new().await;
    let body = r#"{"email":"ana@example.org","password":"x","a\nINFO forged\u001b[2J\u0085":1}"#;
    let answer = world.ask(Ask::post("/auth/login", body)).await.json();
    assert_eq!(answer["error"]["details"][0]["field"], r"a\nINFO forged\u{1b}[2J\u{85}");
    let query = world.ask(Ask::post("/auth/login?a%0D%0Ab=1", "{}")).await.json();
    assert_eq!(query["error"]["details"][0]["field"], r"a\r\nb");
}

#[tokio::test]
async fn a_body_has_a_bound_with_and_without_a_length() {
    let world = Plan::default().set("GATEWAY_BODY_BYTES_MAX", "1000").start(Mesh::new()).await;
    let large = format!(r#"{{"email":"{}"}}"#, "a".repeat(2000));
    insta::assert_snapshot!(world.ask(Ask::post("/auth/login", &large)).await.line(), @r#"413 {"error":{"code":"PAYLOAD_TOO_LARGE","message":"The request is too large."},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    let chunked = format!(
        "POST /auth/login HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let answer = crate::client::exchange(world.edge, chunked.as_bytes()).await;
    assert_eq!(answer.code(), "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn credentials_come_before_content() {
    let world = World::new().await;
    let patch = Ask::new("PATCH", "/me").header("content-type", "application/json").body(b"{");
    assert_eq!(world.ask(patch).await.code(), "UNAUTHENTICATED");
    assert_eq!(world.ask(Ask::get("/auth/sessions?limit=x")).await.code(), "UNAUTHENTICATED");
}
