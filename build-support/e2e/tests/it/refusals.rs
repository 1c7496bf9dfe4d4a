//! Refusals: each in the envelope, with the code that the contract has for it.

use proto::ErrorCode;
use serde_json::{Value, json};

use crate::judge::{Judge, refused, refused_field};
use crate::world::{Person, World};

const JSON: &str = "application/json";

everywhere!(
    what_is_no_request_is_refused,
    what_is_not_in_the_contract_is_refused,
    a_foreign_tenant_is_refused,
    too_many_failures_are_refused_where_they_come_from,
    a_request_keeps_its_names,
);

async fn what_is_no_request_is_refused(world: &World) {
    let edge = &world.edge;
    refused(&edge.get("/nowhere").send().await, ErrorCode::NotFound);
    refused(&edge.get("/auth/login/").send().await, ErrorCode::NotFound);
    let wrong = edge.delete("/me").send().await;
    refused(&wrong, ErrorCode::MethodNotAllowed);
    let mut allowed: Vec<&str> = wrong.header("allow").split(", ").collect();
    allowed.sort_unstable();
    assert!(allowed.contains(&"GET") && allowed.contains(&"PATCH"), "{allowed:?}");

    let login = |content_type: &str, body: &[u8]| edge.post("/auth/login").body(content_type, body.to_vec());
    let credentials = br#"{"email":"ana@example.org","password":"a secret"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        refused(&login(content_type, credentials).send().await, ErrorCode::UnsupportedMediaType);
    }
    let deep = format!("{{\"loginContext\":{}1{}}}", "{\"a\":".repeat(70), "}".repeat(70));
    let malformed: [&[u8]; 7] = [
        br#"{"email":"ana@example.org","#,
        br#"{"email":"ana@example.org","email":"eve@example.org","password":"a secret"}"#,
        br#"{"deviceType":"web","device_type":"web","email":"ana@example.org","password":"a secret"}"#,
        br#"["ana@example.org"]"#,
        b"{\"email\":\"\xff\xfe\"}",
        br#"{"email":"ana@example.org"} {}"#,
        deep.as_bytes(),
    ];
    for body in malformed {
        let reply = login(JSON, body).send().await;
        assert_eq!(reply.code(), "MALFORMED_REQUEST", "{}: {}", String::from_utf8_lossy(body), reply.text());
        refused(&reply, ErrorCode::MalformedRequest);
    }
    let large = format!("{{\"email\":\"{}\"}}", "a".repeat(1024 * 1024));
    refused(&login(JSON, large.as_bytes()).send().await, ErrorCode::PayloadTooLarge);
    let long = edge.get("/health").header("x-long", &"a".repeat(40 * 1024)).send().await;
    refused(&long, ErrorCode::HeadersTooLarge);
}

async fn what_is_not_in_the_contract_is_refused(world: &World) {
    let login = async |body: Value| world.edge.post("/auth/login").json(body).send().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({"email": "ana@example.org", "password": "a secret"});
        body[name] = value;
        body
    };
    refused_field(&login(with("nonsense", json!(1))).await, "nonsense");
    refused_field(&login(with("password", json!(7))).await, "password");
    refused_field(&login(with("deviceType", json!("toaster"))).await, "deviceType");
    refused_field(&login(json!({"email": "ana@example.org"})).await, "password");
    refused_field(&world.edge.post("/auth/login").send().await, "password");
    refused_field(&login(with("email", json!("a".repeat(255)))).await, "email");
    let short = Person { password: "short".into(), ..Person::named(world, "ana") };
    refused_field(&short.register(&json!({})).await, "password");
    let common = Person { password: "password123".into(), ..Person::named(world, "ana") };
    refused_field(&common.register(&json!({})).await, "password");
    let no_address = Person { email: "nobody".into(), ..Person::named(world, "ana") };
    refused_field(&no_address.register(&json!({})).await, "email");
    let link = world.edge.post("/auth/verify-email").json(json!({"token": "nonsense"})).send().await;
    refused(&link, ErrorCode::AuthLinkInvalid);

    let ana = Person::administrator(world);
    let tokens = ana.login().await;
    let sessions = async |query: &str| {
        ana.edge.get(&format!("/auth/sessions?{query}")).bearer(&tokens.access).send().await
    };
    refused_field(&sessions("nonsense=1").await, "nonsense");
    refused_field(&sessions("limit=101").await, "limit");
    refused_field(&sessions("limit=many").await, "limit");
    refused(&sessions("cursor=forged").await, ErrorCode::InvalidCursor);
    assert_eq!(sessions("limit=1&page=1").await.expect(200).body["limit"], 1);
}

async fn a_foreign_tenant_is_refused(world: &World) {
    let admin = Person::administrator(world);
    let tokens = admin.login().await;
    let tenant = admin.me(&tokens.access).await.expect(200).body["tenantId"].as_str().unwrap().to_owned();
    let login = async |tenant: &str| {
        let credentials = json!({"email": admin.email, "password": admin.password});
        admin.edge.post("/auth/login").header("x-tenant-id", tenant).json(credentials).send().await
    };
    let me = async |tenant: &str| {
        admin.edge.get("/me").bearer(&tokens.access).header("x-tenant-id", tenant).send().await
    };
    for foreign in ["no-such-tenant", "01980000-0000-7000-8000-000000000009"] {
        refused(&login(foreign).await, ErrorCode::NotFound);
        refused(&me(foreign).await, ErrorCode::TenantMismatch);
    }
    for own in [tenant.as_str(), "default"] {
        login(own).await.is(200);
        me(own).await.is(200);
    }
}

async fn too_many_failures_are_refused_where_they_come_from(world: &World) {
    let admin = Person::administrator(world);
    let thief = Person { edge: world.edge.another(), ..Person::administrator(world) };
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(thief.try_login("a wrong guess").await);
    }
    let limited = answers.pop().unwrap();
    for answer in &answers {
        refused(answer, ErrorCode::AuthInvalidCredentials);
    }
    refused(&limited, ErrorCode::RateLimited);
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert!(limited.header("ratelimit").starts_with("\"login-email\";r=0;t="), "{:?}", limited.headers);
    assert_eq!(limited.header("ratelimit-policy"), "\"login-email\";q=10;w=300");
    // Not even the right password gets through from there, and its owner is not locked out.
    refused(&thief.try_login(&thief.password).await, ErrorCode::RateLimited);
    let signed_in = admin.try_login(&admin.password).await.expect(200);
    assert!(signed_in.header("ratelimit").starts_with("\"login\";r="), "{:?}", signed_in.headers);
}

async fn a_request_keeps_its_names(world: &World) {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let call = || world.edge.get("/me").header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    let reply = call().header("x-request-id", "order-17.b").send().await;
    refused(&reply, ErrorCode::Unauthenticated);
    assert_eq!((&reply.body["traceId"], reply.header("x-request-id")), (&json!(trace), "order-17.b"));
    let reply = call().header("x-request-id", "not one of ours").send().await;
    assert_ne!(reply.header("x-request-id"), "not one of ours");
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("cache-control", "no-store")]
    {
        assert_eq!(reply.header(name), value, "{:?}", reply.headers);
    }
    assert!(!reply.header("referrer-policy").is_empty(), "{:?}", reply.headers);
}
