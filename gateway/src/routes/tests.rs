//! Routes made from contracts, good and faulty.

use std::path::Path;

use http::Method as Verb;
use prost::Message;
use prost_reflect::{DescriptorPool, ServiceDescriptor};

use super::*;

/// A descriptor pool of one service of somebody else's, with these methods.
fn pool(methods: &str) -> DescriptorPool {
    let source = format!(
        r#"syntax = "proto3";
        package shop.v1;
        import "google/api/annotations.proto";
        import "platform/edge/v1/policy.proto";
        service ShopService {{ {methods} }}
        message Order {{ string order_id = 1; string name = 2; repeated string tags = 3; Order parent = 4; }}"#
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.proto"), source).unwrap();
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let includes = [folder.path().to_owned(), contracts.clone(), contracts.join("vendor")];
    let mut compiler = protox::Compiler::new(includes).unwrap();
    compiler.include_imports(true).open_file("shop.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

fn method(http: &str, policy: &str) -> String {
    let policy = if policy.is_empty() {
        String::new()
    } else {
        format!("option (platform.edge.v1.policy) = {{{policy}}};")
    };
    format!("rpc Act(Order) returns (Order) {{ option (google.api.http) = {{{http}}}; {policy} }}")
}

fn shop(service: &ServiceDescriptor) -> Option<Target> {
    (service.package_name() == "shop.v1").then(|| Target::Service("shop".into()))
}

fn fault(methods: &str) -> String {
    let faults = compile(&pool(methods), shop).unwrap_err();
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

fn found(table: &Table, verb: &Verb, path: &str) -> String {
    match table.find(path, verb) {
        Found::Route(route, segments) => format!("{} {segments:?}", route.rpc.name),
        Found::OtherVerbs(verbs) => format!("allow {}", verbs.to_str().unwrap()),
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn the_platforms_contracts_compile() {
    let table = crate::builtin_routes("").unwrap();
    assert_eq!(found(&table, &Verb::POST, "/auth/signup"), "platform.auth.v1.AccountService/Register []");
    assert_eq!(found(&table, &Verb::HEAD, "/me"), "platform.auth.v1.ProfileService/GetMe []");
    assert_eq!(found(&table, &Verb::DELETE, "/me"), "allow GET, HEAD, PATCH");
    let roles = found(&table, &Verb::PUT, "/admin/users/x%2Fy/roles");
    assert_eq!(roles, "platform.auth.v1.UserService/SetUserRoles [\"x%2Fy\"]");
    for path in ["/", "/me/", "//me", "/me/me", "/ME", "/../me", "/admin/users//roles"] {
        assert_eq!(found(&table, &Verb::GET, path), "nothing", "{path}");
    }
}

#[test]
fn all_routes_may_lie_below_a_prefix() {
    let table = crate::builtin_routes("/api").unwrap();
    assert_eq!(found(&table, &Verb::GET, "/api/me"), "platform.auth.v1.ProfileService/GetMe []");
    assert_eq!(found(&table, &Verb::GET, "/me"), "nothing");
    let roles = found(&table, &Verb::PUT, "/api/admin/users/7/roles");
    assert_eq!(roles, "platform.auth.v1.UserService/SetUserRoles [\"7\"]");
}

#[test]
fn a_method_with_a_route_and_no_policy_stops_the_start() {
    assert_eq!(
        fault(&method(r#"get: "/shop""#, "")),
        "shop.v1.ShopService.Act: it has an HTTP rule and no policy"
    );
}

#[test]
fn contracts_that_cannot_be_served_say_why() {
    let public = "access: ACCESS_PUBLIC";
    for (http, policy, complaint) in [
        (r#"get: "/shop" body: "*""#, public, "GET has no body"),
        (r#"get: "/shop/{name=a/*}""#, public, "pattern of its own"),
        (r#"get: "/shop/{tags}""#, public, "no singular scalar"),
        (r#"get: "/shop/{parent}""#, public, "no singular scalar"),
        (r#"get: "/shop/{nobody}""#, public, "no field `nobody`"),
        (r#"get: "/shop/{name}/{name}""#, public, "a field twice"),
        (r#"post: "/shop" body: "nobody""#, public, "no field `nobody`"),
        (r#"get: "/shop" response_body: "nobody""#, public, "no field `nobody`"),
        (r#"get: "/shop""#, "permission: \"a:b\"", "names no access"),
        (r#"get: "/shop""#, "access: ACCESS_PERMITTED", "asks for no permission"),
        (r#"get: "/shop""#, "access: ACCESS_PERMITTED permission: \"shop\"", "no permission"),
        (r#"get: "/shop""#, "access: ACCESS_PUBLIC permission: \"a:b\"", "does not check"),
        (r#"get: "/shop""#, "access: ACCESS_PUBLIC success_status: 404", "no status of success"),
        (r#"get: "/shop""#, "access: ACCESS_AUTHENTICATED tenant: TENANT_SCOPE_PLATFORM", "not served"),
        (r#"get: "/shop""#, "access: ACCESS_AUTHENTICATED owner_field: \"x\"", "no field `x`"),
    ] {
        let told = fault(&method(http, policy));
        assert!(told.starts_with("shop.v1.ShopService.Act: ") && told.contains(complaint), "{told}");
    }
}

#[test]
fn two_routes_cannot_have_one_place() {
    let public = "access: ACCESS_PUBLIC";
    let both = r#"get: "/shop/{name}" additional_bindings {get: "/shop/{order_id}"}"#;
    let routes = compile(&pool(&method(both, public)), shop).unwrap();
    let faults = Table::build(routes, "").unwrap_err();
    assert!(faults[0].problem.contains("/shop/{order_id} is taken by shop.v1.ShopService/Act"), "{faults:?}");
}

#[test]
fn a_closing_verb_is_its_own_route() {
    let rule = r#"post: "/shop/{order_id}:cancel" body: "*" additional_bindings {get: "/shop/{order_id}"}"#;
    let table =
        Table::build(compile(&pool(&method(rule, "access: ACCESS_PUBLIC")), shop).unwrap(), "").unwrap();
    assert_eq!(found(&table, &Verb::POST, "/shop/7:cancel"), "shop.v1.ShopService/Act [\"7\"]");
    assert_eq!(found(&table, &Verb::GET, "/shop/7:cancel"), "allow POST");
    assert_eq!(found(&table, &Verb::GET, "/shop/7:refund"), "shop.v1.ShopService/Act [\"7:refund\"]");
}

#[test]
fn the_registry_tells_every_route_and_what_it_asks_for() {
    let table = crate::builtin_routes("").unwrap();
    let registry = proto::edge::ListRoutesResponse::decode(table.registry()).unwrap();
    assert_eq!(registry.items.len(), table.routes().count());
    let line = |item: &proto::edge::Route| {
        let limits: Vec<&str> = item.rate_limits.iter().map(|limit| limit.name.as_str()).collect();
        let idempotency = item.idempotency().as_str_name().trim_start_matches("IDEMPOTENCY_");
        let access = item.access().as_str_name().trim_start_matches("ACCESS_");
        let (permission, limits) = (item.permission(), limits.join(" "));
        format!(
            "{} {} {access} {permission} [{limits}] {idempotency} {}",
            item.method, item.path, item.upstream
        )
    };
    let shown = ["/admin/routes", "/auth/login", "/me", "/admin/users/{user_id}/roles"];
    let lines = registry.items.iter().filter(|item| shown.contains(&item.path.as_str())).map(line);
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    GET /admin/routes PERMITTED route:read [] NONE gateway
    PUT /admin/users/{user_id}/roles PERMITTED user:write [] OPTIONAL auth
    POST /auth/login PUBLIC  [login login-email login-username login-account login-account] NONE auth
    GET /me AUTHENTICATED  [] NONE auth
    PATCH /me AUTHENTICATED  [update-me] OPTIONAL auth
    ");
}
