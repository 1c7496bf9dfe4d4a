//! Rights: what administrators may and others may not, and that a change is felt at once.

use proto::ErrorCode;
use serde_json::{Value, json};
use testkit::http::Reply;
use uuid::Uuid;

use crate::judge::{Judge, refused, refused_field};
use crate::world::{Person, Tokens, World};

everywhere!(a_change_of_roles_is_felt_at_once, the_registry_tells_every_route);

async fn a_change_of_roles_is_felt_at_once(world: &World) {
    let admin = Person::administrator(world);
    let root = admin.login().await;
    let binh = Person::signed_up(world, "binh").await;
    let tokens = binh.login().await;
    let id = binh.me(&tokens.access).await.expect(200).body["id"].as_str().unwrap().to_owned();

    refused(&binh.edge.get("/admin/routes").send().await, ErrorCode::Unauthenticated);
    refused(&routes(&binh, &tokens).await, ErrorCode::PermissionDenied);
    refused(&set_roles(&binh, &tokens, &id, &["ADMIN"]).await, ErrorCode::PermissionDenied);
    refused_field(&set_roles(&admin, &root, &id, &["NO_SUCH_ROLE"]).await, "roles[0]");
    refused(&set_roles(&admin, &root, &Uuid::nil().to_string(), &["USER"]).await, ErrorCode::NotFound);
    refused(&set_roles(&admin, &root, "no-id", &["USER"]).await, ErrorCode::NotFound);
    binh.me(&tokens.access).await.is(200);

    let raised = set_roles(&admin, &root, &id, &["USER", "ADMIN"]).await.expect(200);
    assert_eq!(raised.body["roles"], json!(["ADMIN", "USER"]));
    refused(&binh.me(&tokens.access).await, ErrorCode::AuthTokenStale);
    let repaired = Tokens::of(binh.refresh(&tokens.refresh).await);
    assert!(routes(&binh, &repaired).await.expect(200).body["items"].is_array());
    refused(&binh.me(&tokens.access).await, ErrorCode::AuthTokenStale);

    set_roles(&admin, &root, &id, &["USER"]).await.is(200);
    refused(&routes(&binh, &repaired).await, ErrorCode::AuthTokenStale);
    let lowered = Tokens::of(binh.refresh(&repaired.refresh).await);
    refused(&routes(&binh, &lowered).await, ErrorCode::PermissionDenied);
    binh.me(&lowered.access).await.is(200);

    let own = admin.me(&root.access).await.expect(200).body["id"].as_str().unwrap().to_owned();
    refused(&set_roles(&admin, &root, &own, &["USER"]).await, ErrorCode::Conflict);
    admin.me(&root.access).await.is(200);
}

async fn the_registry_tells_every_route(world: &World) {
    let admin = Person::administrator(world);
    let tokens = admin.login().await;
    let registry = routes(&admin, &tokens).await.expect(200);
    let items = registry.body["items"].as_array().unwrap();
    let find = |method: &str, path: &str| -> &Value {
        let found = items.iter().find(|item| item["method"] == method && item["path"] == path);
        found.unwrap_or_else(|| panic!("no {method} {path}: {}", registry.text()))
    };
    for path in ["/me", "/auth/me", "/auth/profile"] {
        assert_eq!(find("GET", path)["rpc"], "platform.auth.v1.ProfileService/GetMe");
    }
    let roles = find("PUT", "/admin/users/{user_id}/roles");
    assert_eq!((&roles["permission"], &roles["upstream"]), (&json!("user:write"), &json!("auth")));
    let login = find("POST", "/auth/login");
    assert!(login["rateLimits"].as_array().is_some_and(|limits| !limits.is_empty()), "{login}");
    // Whatever the registry names for a signed-in caller refuses a stranger.
    for item in items.iter().filter(|item| item["access"] != "public") {
        let path = item["path"].as_str().unwrap().replace("{user_id}", &Uuid::nil().to_string());
        let call = match item["method"].as_str().unwrap() {
            "GET" => world.edge.get(&path),
            "POST" => world.edge.post(&path),
            "PUT" => world.edge.put(&path),
            "PATCH" => world.edge.patch(&path),
            "DELETE" => world.edge.delete(&path),
            other => panic!("what is {other}?"),
        };
        refused(&call.json(json!({})).send().await, ErrorCode::Unauthenticated);
    }
}

async fn routes(person: &Person, tokens: &Tokens) -> Reply {
    person.edge.get("/admin/routes").bearer(&tokens.access).send().await
}

async fn set_roles(person: &Person, tokens: &Tokens, id: &str, roles: &[&str]) -> Reply {
    let path = format!("/admin/users/{id}/roles");
    person.edge.put(&path).bearer(&tokens.access).json(json!({"roles": roles})).send().await
}
