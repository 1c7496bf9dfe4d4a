//! A service that the gateway was never written for: its descriptors are all the edge knows of it.

use std::convert::Infallible;
use std::path::Path;
use std::task::{Context, Poll};

use gateway::config::UpstreamConfig;
use http::{Request, Response};
use mesh::Policy;
use mesh::passport::KeySource;
use prost_reflect::DescriptorPool;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::auth::USER;
use crate::client::Ask;
use crate::world::{Mesh, Plan, World};

/// Answers every call with what it was asked: gRPC's framing and all.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "shop.v1.ShopService";
}

impl tower::Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let trailers = http::HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        let body =
            http_body_util::BodyExt::with_trailers(request.into_body(), async move { Some(Ok(trailers)) });
        let mut response = Response::new(Body::new(body));
        response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        std::future::ready(Ok(response))
    }
}

fn descriptors() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (tests, contracts) = (root.join("tests/it"), root.join("../proto"));
    let mut compiler = protox::Compiler::new([tests, contracts.clone(), contracts.join("vendor")]).unwrap();
    compiler.include_imports(true).open_file("shop.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

async fn world(change: impl FnOnce(&mut UpstreamConfig)) -> World {
    let (mesh, life) = (Mesh::new(), chassis::Lifecycle::new());
    let policy = r#"
        version = 1
        [[allow]]
        from = ["gateway"]
        to = "shop.v1.ShopService"
        methods = ["*"]
    "#;
    let pool = DescriptorPool::decode(descriptors().as_slice()).unwrap();
    let policy = Policy::against(pool, policy).unwrap();
    let passports = KeySource::fixed(Vec::new());
    let address = mesh.serve("shop", policy, Routes::new(Echo), passports, &life).await;
    let mut shop = UpstreamConfig {
        name: "shop".into(),
        addresses: vec![address.to_string()],
        identity: "spiffe://platform.local/shop".into(),
        descriptor: descriptors(),
        path_prefix: "/shop".into(),
        permission_prefix: "shop".into(),
    };
    change(&mut shop);
    Plan::default().plug(shop).start(mesh).await
}

#[tokio::test]
async fn its_methods_appear_at_the_edge_with_their_rules() {
    let world = world(|_| {}).await;
    let answer = world.ask(Ask::post("/shop/echo", r#"{"name":"tea","cents":"9007199254740993"}"#)).await;
    insta::assert_snapshot!(answer.line(), @r#"201 {"id":"","name":"tea","owner":"","cents":"9007199254740993"}"#);
    let refused = world.ask(Ask::post("/shop/echo", r#"{"name":"coffee","price":1}"#)).await;
    insta::assert_snapshot!(refused.line(), @r#"400 {"error":{"code":"VALIDATION_ERROR","message":"The request is not valid.","details":[{"field":"price","message":"is not known"},{"field":"name","message":"must have at most 5 characters"}]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#);
    assert_eq!(world.ask(Ask::get("/shop/orders/7")).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_grant_for_ones_own_opens_ones_own_only() {
    let world = world(|_| {}).await;
    let order = |owner: &str| Ask::get(&format!("/shop/orders/{USER}?owner={owner}")).token(&world.token());
    assert_eq!(world.ask(order(&USER.to_string())).await.code(), "PERMISSION_DENIED");

    *world.auth.permissions.lock().unwrap() = vec!["shop:read:self".to_owned()];
    assert_eq!(world.ask(order("somebody")).await.code(), "PERMISSION_DENIED");
    assert_eq!(world.ask(order("")).await.code(), "PERMISSION_DENIED");
    // Auth is away from this service's passports: the shop knows nobody's keys and refuses the call.
    let own = world.ask(order(&USER.to_string())).await;
    assert_ne!(own.code(), "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_faulty_one_loses_its_routes_and_the_edge_starts_all_the_same() {
    let faults: [fn(&mut UpstreamConfig); 6] = [
        |shop| shop.descriptor = b"nonsense".to_vec(),
        |shop| shop.path_prefix = "/elsewhere".into(),
        |shop| shop.path_prefix = String::new(),
        |shop| shop.permission_prefix = "sh".into(),
        |shop| shop.identity = "shop".into(),
        |shop| shop.name = "auth".into(),
    ];
    for fault in faults {
        let world = world(fault).await;
        assert_eq!(world.ask(Ask::post("/shop/echo", "{}")).await.code(), "NOT_FOUND");
        assert_eq!(world.me(&world.token()).await.code(), "OK");
    }
}
