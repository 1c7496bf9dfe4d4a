//! Heads and bodies that are slow, ambiguous or too large.

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{self, exchange};
use crate::world::{Mesh, Plan, World};

#[tokio::test]
async fn a_head_that_takes_too_long_is_cut() {
    let world = Plan::default().set("GATEWAY_HEAD_TIMEOUT", "100ms").start(Mesh::new()).await;
    let mut slow = TcpStream::connect(world.edge).await.unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nhost: ed").await.unwrap();
    assert_eq!(client::read(&mut slow).await.code(), "REQUEST_TIMEOUT");

    let mut silent = TcpStream::connect(world.edge).await.unwrap();
    assert_eq!(client::read(&mut silent).await.status, 0, "whoever says nothing hears nothing");
}

#[tokio::test]
async fn a_slow_second_head_is_cut_too_and_a_rest_between_two_is_not() {
    let plan = Plan::default().set("GATEWAY_HEAD_TIMEOUT", "100ms").set("GATEWAY_IDLE_TIMEOUT", "60s");
    let world = plan.start(Mesh::new()).await;
    let mut stream = TcpStream::connect(world.edge).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: edge\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.unwrap();
    // The rest itself, longer than a head may take.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nho").await.unwrap();
    let rest = client::read_text(&mut stream).await;
    assert!(rest.contains("HTTP/1.1 408") && rest.contains("REQUEST_TIMEOUT"), "{rest}");
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_cut() {
    let world = Plan::default().set("GATEWAY_BODY_TIMEOUT", "100ms").start(Mesh::new()).await;
    let head = b"POST /auth/login HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let answer = exchange(world.edge, head).await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "REQUEST_TIMEOUT"));
}

#[tokio::test]
async fn a_length_beside_chunks_is_refused_in_either_order() {
    let world = World::new().await;
    for fields in
        ["content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 5"]
    {
        let smuggled = format!(
            "POST /auth/login HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\n{fields}\r\n\r\n0\r\n\r\nGET /me HTTP/1.1\r\nhost: edge\r\n\r\n"
        );
        let answer = exchange(world.edge, smuggled.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "MALFORMED_REQUEST"), "{fields}");
    }
}

#[tokio::test]
async fn ambiguous_heads_are_refused() {
    let world = World::new().await;
    for head in [
        "GET /health HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET http://other/health HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost : edge\r\n\r\n",
        "GET /hea lth HTTP/1.1\r\nhost: edge\r\n\r\n",
        "\u{1}\u{2}\u{3}nonsense\r\n\r\n",
    ] {
        let answer = exchange(world.edge, head.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "MALFORMED_REQUEST"), "{head:?}");
    }
}

#[tokio::test]
async fn a_head_has_a_bound_in_bytes_and_in_fields() {
    let world = World::new().await;
    let large = format!("x-large: {}\r\n", "a".repeat(40 * 1024));
    let many = "x-one-of-many: a\r\n".repeat(150);
    let huge = format!("x-huge: {}\r\n", "a".repeat(200 * 1024));
    for fields in [large, many, huge] {
        let head = format!("GET /health HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n{fields}\r\n");
        let answer = exchange(world.edge, head.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (431, "HEADERS_TOO_LARGE"));
    }
}

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let world = Plan::default().set("GATEWAY_CONNECTIONS_PER_IP_MAX", "1").start(Mesh::new()).await;
    let mut first = TcpStream::connect(world.edge).await.unwrap();
    first.write_all(b"GET /health HTTP/1.1\r\nhost: edge\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut first, &mut answer).await.unwrap();
    let second = exchange(world.edge, b"GET /health HTTP/1.1\r\nhost: edge\r\n\r\n").await;
    assert_eq!(second.status, 0, "closed without a word");
}

#[tokio::test]
async fn http2_is_spoken_too() {
    let world = World::new().await;
    let stream = TcpStream::connect(world.edge).await.unwrap();
    let (io, executor) = (TokioIo::new(stream), TokioExecutor::new());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    world.lifecycle.spawn("client", async move { drop(connection.await) });
    let request = |path: &str, name, value: &str| {
        let request = http::Request::get(format!("http://edge{path}")).header(name, value);
        request.body(Full::<Bytes>::default()).unwrap()
    };
    let me = request("/me", http::header::AUTHORIZATION, &format!("Bearer {}", world.token()));
    assert_eq!(sender.send_request(me).await.unwrap().status(), 200);
    let foreign = request("/health", http::header::HOST, "other");
    assert_eq!(sender.send_request(foreign).await.unwrap().status(), 400);
    drop(sender);
}
