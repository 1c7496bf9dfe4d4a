//! What operators see.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chassis::{Lifecycle, Ops};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn serve(ops: Ops, life: &Lifecycle) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    ops.serve(listener, life);
    address
}

/// The status line's number and the body.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn readiness_names_the_dependency_that_is_away() {
    let life = Lifecycle::new();
    let ops = Ops::new("auth")
        .check("sql", || async { Ok(()) })
        .check("redis", || async { Err("no answer".to_owned()) });
    let address = serve(ops, &life).await;

    assert_eq!(get(address, "/livez").await.0, 200);
    let (status, report) = get(address, "/readyz").await;
    assert_eq!(status, 503);
    insta::assert_snapshot!(report, @r#"{"checks":{"redis":{"ok":false,"problem":"no answer"},"sql":{"ok":true}},"draining":false,"ready":false,"service":"auth"}"#);
}

#[tokio::test]
async fn a_check_that_hangs_is_bounded_and_a_result_is_cached() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let ops = Ops::new("auth").check("stuck", move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    });
    let life = Lifecycle::new();
    let address = serve(ops, &life).await;
    let ((first, report), (second, _)) = tokio::join!(get(address, "/readyz"), get(address, "/readyz"));
    assert_eq!((first, second), (503, 503));
    assert!(report.contains("no answer within 1 s"), "{report}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn draining_turns_readiness_red_while_the_server_still_answers() {
    let life = Lifecycle::new();
    let address = serve(Ops::new("auth"), &life).await;
    assert_eq!(get(address, "/readyz").await.0, 200);

    let released = Arc::new(AtomicBool::new(false));
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let seen = released.clone();
    life.spawn("in flight", async move {
        let _ = held.await;
        seen.store(true, Ordering::SeqCst);
    });
    life.shutdown();
    assert_eq!(get(address, "/livez").await.0, 200);
    let (status, report) = get(address, "/readyz").await;
    assert_eq!(status, 503);
    assert!(report.contains("\"draining\":true"), "{report}");

    release.send(()).unwrap();
    life.wait(Duration::from_secs(5)).await.unwrap();
    assert!(released.load(Ordering::SeqCst));
}

#[tokio::test]
async fn metrics_are_rendered_with_buckets_in_seconds() {
    chassis::metrics::install();
    metrics::histogram!("platform_test_wait_seconds").record(0.02);
    metrics::counter!("platform_test_total").increment(1);
    let life = Lifecycle::new();
    let address = serve(Ops::new("auth"), &life).await;
    let (_, text) = get(address, "/metrics").await;
    assert!(text.contains("platform_test_wait_seconds_bucket{le=\"0.025\"} 1"), "{text}");
    assert!(text.contains("platform_test_total 1"), "{text}");
}
