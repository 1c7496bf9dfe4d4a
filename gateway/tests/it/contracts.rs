//! What the contracts promise of good requests.

use serde_json::json;

use crate::client::Ask;
use crate::world::World;

#[tokio::test]
async fn a_signed_in_person_reads_me_under_all_its_paths() {
    let world = World::new().await;
    let answer = world.me(&world.token()).await;
    insta::assert_snapshot!(answer.line(), @r#"200 {"id":"0192f0c1-2345-7abc-8def-000000000001","tenantId":"0192f0c1-2345-7abc-8def-000000000002","email":"ana@example.org","emailVerified":true,"displayName":"Ana \"A\"","phoneVerified":false,"locale":"en","status":"active","roles":["USER"],"permissions":[],"createdAt":"1970-01-01T00:00:00Z"}"#);
    for path in ["/auth/me", "/auth/profile"] {
        assert_eq!(world.ask(Ask::get(path).token(&world.token())).await.body, answer.body);
    }
}

#[tokio::test]
async fn every_answer_carries_the_protecting_headers_and_its_request_id() {
    let world = World::new().await;
    let answer = world.ask(Ask::get("/me").token(&world.token()).header("x-request-id", "r-1")).await;
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-request-id", "r-1"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let refused = world.ask(Ask::get("/nowhere").header("x-request-id", "not well formed")).await;
    assert_eq!(refused.header("x-request-id").unwrap().len(), 36);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn services_learn_who_calls_and_from_where_and_nothing_forged() {
    let world = World::new().await;
    let ask = Ask::get("/me")
        .token(&world.token())
        .header("x-passport", "forged")
        .header("x-client-ip", "203.0.113.9")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-request-id", "r-2")
        .header("user-agent", "tests/1")
        .header("accept-language", "vi");
    assert_eq!(world.ask(ask).await.status, 200);
    let seen = world.auth.seen.lock().unwrap().clone().unwrap();
    let caller = seen.caller.unwrap();
    assert_eq!((caller.user_id, caller.session_id), (crate::auth::USER, crate::auth::SESSION));
    assert_eq!(seen.client_ip.unwrap().to_string(), "127.0.0.1");
    assert_eq!((seen.request_id.as_str(), seen.user_agent.as_deref()), ("r-2", Some("tests/1")));
    assert_eq!((seen.language.as_deref(), seen.tenant), (Some("vi"), None));
    assert_eq!(seen.trace.trace_id(), crate::client::TRACE);
}

#[tokio::test]
async fn without_a_token_the_wish_for_a_tenant_goes_along_and_a_stale_token_is_ignored() {
    let world = World::new().await;
    let ask = Ask::post("/auth/login", r#"{"username":"ana","password":"right"}"#)
        .header("x-tenant-id", "acme")
        .header("authorization", "Bearer nonsense");
    let answer = world.ask(ask).await;
    insta::assert_snapshot!(answer.line(), @r#"200 {"accessToken":"a","tokenType":"Bearer","expiresIn":0}"#);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let seen = world.auth.seen.lock().unwrap().clone().unwrap();
    assert_eq!((seen.tenant.as_deref(), seen.caller), (Some("acme"), None));
}

#[tokio::test]
async fn a_token_fixes_the_tenant() {
    let world = World::new().await;
    for (wish, expected) in
        [("default", "OK"), (&crate::auth::TENANT.to_string(), "OK"), ("acme", "TENANT_MISMATCH")]
    {
        let answer = world.ask(Ask::get("/me").token(&world.token()).header("x-tenant-id", wish)).await;
        assert_eq!(answer.code(), expected, "{wish}");
    }
}

#[tokio::test]
async fn a_wish_that_names_no_tenant_is_refused_and_not_forgotten() {
    let world = World::new().await;
    for wish in ["", "a b", &"a".repeat(129)] {
        let me = Ask::get("/me").token(&world.token()).header("x-tenant-id", wish);
        assert_eq!(world.ask(me).await.code(), "TENANT_MISMATCH", "{wish}");
        let login = Ask::post("/auth/login", r#"{"username":"ana","password":"right"}"#);
        assert_eq!(world.ask(login.header("x-tenant-id", wish)).await.code(), "NOT_FOUND", "{wish}");
    }
}

#[tokio::test]
async fn a_patch_names_what_it_changes() {
    let world = World::new().await;
    let ask = Ask::new("PATCH", "/me")
        .token(&world.token())
        .header("content-type", "application/json")
        .body(br#"{"displayName":"Bo","timeZone":null}"#);
    assert_eq!(world.ask(ask).await.status, 200);
    let updated = world.auth.updated.lock().unwrap().clone().unwrap();
    assert_eq!(updated.update_mask.unwrap().paths, ["display_name", "time_zone"]);
}

#[tokio::test]
async fn keys_are_public_and_may_be_cached() {
    let world = World::new().await;
    let answer = world.ask(Ask::get("/.well-known/jwks.json")).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.json()["keys"][0]["kid"], "k1");
    assert_eq!(world.ask(Ask::get("/jw-certs")).await.body, answer.body);
}

#[tokio::test]
async fn a_page_is_a_page_and_confined() {
    let world = World::new().await;
    let answer = world.ask(Ask::get("/auth/verify-email?token=t")).await;
    assert_eq!(answer.line(), "200 <p>page");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let form = Ask::new("POST", "/auth/verify-email/page")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(b"token=t");
    assert_eq!(world.ask(form).await.status, 200);
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body() {
    let world = World::new().await;
    let answer = world.ask(Ask::new("HEAD", "/health")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(world.ask(Ask::get("/health")).await.line(), r#"200 {"status":"ok"}"#);
}

#[tokio::test]
async fn the_registry_is_answered_by_the_edge_itself() {
    let world = World::new().await;
    assert_eq!(world.ask(Ask::get("/admin/routes").token(&world.token())).await.code(), "PERMISSION_DENIED");

    *world.auth.permissions.lock().unwrap() = vec!["*:*".to_owned()];
    let registry = Ask::get("/admin/routes")
        .token(&world.auth.token(&json!({}), &json!({"jti": uuid::Uuid::from_u128(10)})));
    let answer = world.ask(registry).await.json();
    let refresh =
        answer["items"].as_array().unwrap().iter().find(|item| item["path"] == "/auth/refresh").unwrap();
    insta::assert_snapshot!(refresh, @r#"{"access":"public","idempotency":"none","method":"POST","path":"/auth/refresh","rateLimits":[{"failuresOnly":false,"field":"","keys":["ip"],"limit":600,"name":"refresh","windowSeconds":60}],"rpc":"platform.auth.v1.SessionService/Refresh","upstream":"auth"}"#);
}
