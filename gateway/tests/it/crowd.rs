//! One client that wants all there is: it gets its share, and the others do not notice.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{self, Ask};
use crate::world::{Mesh, Plan, World};

const RIGHT: &str = r#"{"email":"ana@example.org","password":"right"}"#;

/// An edge behind a proxy that says whose requests they are, with room for four and for two of a client.
async fn small() -> World {
    let plan = Plan::default().set("TRUSTED_PROXIES", "127.0.0.0/8").set("GATEWAY_REQUESTS_MAX", "4");
    plan.set("GATEWAY_REQUESTS_PER_IP_MAX", "2").start(Mesh::new()).await
}

fn from(ask: Ask, client: &str) -> Ask {
    ask.header("x-forwarded-for", client)
}

/// A login whose body the edge waits for.
async fn slow_body(world: &World, client: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.edge).await.unwrap();
    let head = format!(
        "POST /auth/login HTTP/1.1\r\nhost: edge\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        RIGHT.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked_for = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut asked_for).await.unwrap();
    assert!(asked_for.starts_with(b"HTTP/1.1 100"));
    stream
}

#[tokio::test]
async fn slow_bodies_take_nobodys_place() {
    let world = small().await;
    let mut slow = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"] {
        slow.push(slow_body(&world, client).await);
    }
    assert_eq!(world.ask(Ask::get("/health")).await.code(), "OK");
    for client in ["192.0.2.1", "192.0.2.3"] {
        let me = Ask::get("/me").token(&world.token());
        assert_eq!(world.ask(from(me, client)).await.code(), "OK", "{client}");
    }
    let mut first = slow.remove(0);
    first.write_all(RIGHT.as_bytes()).await.unwrap();
    assert_eq!(client::read(&mut first).await.status, 200, "a body that comes after all is taken");
}

#[tokio::test]
async fn a_client_has_so_many_slow_bodies_and_others_have_room_for_theirs() {
    let world = small().await;
    let login = || Ask::post("/auth/login", RIGHT);
    let _slow = [slow_body(&world, "2001:db8::1").await, slow_body(&world, "2001:db8::2").await];
    let refused = world.ask(from(login(), "2001:db8::3")).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"), "one network, one client");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(world.ask(from(login(), "192.0.2.1")).await.code(), "OK");

    let _more = [slow_body(&world, "192.0.2.2").await, slow_body(&world, "192.0.2.3").await];
    assert_eq!(world.ask(from(login(), "192.0.2.1")).await.code(), "OVERLOADED");
}

#[tokio::test]
async fn a_client_has_so_many_requests_under_way() {
    let world = Plan::default()
        .set("TRUSTED_PROXIES", "127.0.0.0/8")
        .set("GATEWAY_REQUESTS_PER_IP_MAX", "1")
        .start(Mesh::new())
        .await;
    let held = world.hold_me().await;
    let keys = || Ask::get("/.well-known/jwks.json");
    assert_eq!(world.ask(keys()).await.code(), "RATE_LIMITED");
    assert_eq!(world.ask(from(keys(), "192.0.2.1")).await.code(), "OK");
    world.auth.gate.add_permits(1);
    assert_eq!(held.join_all().await[0].status, 200);
    assert_eq!(world.ask(keys()).await.code(), "OK");
}

#[tokio::test]
async fn a_body_that_makes_no_progress_is_cut_before_its_time() {
    let plan = Plan::default().set("GATEWAY_BODY_TIMEOUT", "10m").set("GATEWAY_BODY_GRACE", "100ms");
    let world = plan.start(Mesh::new()).await;
    let mut stream = slow_body(&world, "192.0.2.1").await;
    stream.write_all(b"{").await.unwrap();
    assert_eq!(client::read(&mut stream).await.code(), "REQUEST_TIMEOUT");
}
