//! Servers that are gone, silent or ending: every call has an answer in bounded time, and the channel
//! heals by itself.

use std::net::SocketAddr;
use std::time::Duration;

use proto::ErrorCode;
use testkit::proxy::Proxy;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tonic::Request;

use crate::world::{World, code, event, publish, send};

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_dead_server_is_unavailable_at_once() {
    let world = World::new();
    let channel = world.channel("auth", &[nobody().await]);
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    }
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_dead_replica_is_not_noticed() {
    let world = World::new();
    let served = world.serve().await;
    let channel = world.channel("auth", &[nobody().await, served.address]);
    for _ in 0..50 {
        publish(&channel).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
    let world = World::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = world.channel("auth", &[silent.local_addr().unwrap()]);
    let began = Instant::now();
    let calls = (0..50).map(|_| publish(&channel));
    for outcome in futures::future::join_all(calls).await {
        assert_eq!(code(outcome), ErrorCode::ServiceUnavailable);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "calls waited one behind another");
}

#[tokio::test]
async fn a_partition_is_noticed_by_keep_alive_and_heals() {
    let world = World::new();
    let mut served = world.serve().await;
    let proxy = Proxy::start(served.address.to_string()).await;
    let channel = world.channel("auth", &[proxy.address()]);
    publish(&channel).await.unwrap();
    served.reached(1).await;

    proxy.pause();
    let mut patient = Request::new(event());
    patient.set_timeout(Duration::from_secs(25));
    let began = Instant::now();
    assert_eq!(code(send(&channel, patient).await), ErrorCode::ServiceUnavailable);
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());

    proxy.resume();
    let healed = async {
        while publish(&channel).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), healed).await.expect("the channel heals");
}

#[tokio::test]
async fn a_server_that_went_and_came_back_is_found_again() {
    let world = World::new();
    let served = world.serve().await;
    let proxy = Proxy::start(served.address.to_string()).await;
    let channel = world.channel("auth", &[proxy.address()]);
    publish(&channel).await.unwrap();
    proxy.cut();
    while publish(&channel).await.is_ok() {}
    proxy.resume();
    let healed = async {
        while publish(&channel).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), healed).await.expect("the channel heals");
}

#[tokio::test]
async fn many_calls_on_one_broken_connection_are_one_failure() {
    let world = World::new();
    let mut served = world.serve().await;
    let proxy = Proxy::start(served.address.to_string()).await;
    let channel = world.channel("auth", &[proxy.address()]);
    let held = served.hold().await;
    let calls = futures::future::join_all((0..20).map(|_| publish(&channel)));
    let cut = async {
        served.reached(20).await;
        proxy.cut();
    };
    let (outcomes, ()) = tokio::join!(calls, cut);
    for outcome in outcomes {
        assert_eq!(code(outcome), ErrorCode::ServiceUnavailable);
    }
    proxy.resume();
    drop(held);
    publish(&channel).await.expect("the address was not left alone");
}

#[tokio::test]
async fn a_server_that_ends_in_order_finishes_its_calls_and_loses_none() {
    let world = World::new();
    let (mut ending, staying) = (world.serve().await, world.serve().await);
    let channel = world.channel("auth", &[ending.address]);
    let held = ending.hold().await;
    let running = publish(&channel);
    let end = async {
        ending.reached(1).await;
        ending.lifecycle.shutdown();
        drop(held);
        ending.lifecycle.wait(Duration::from_secs(5)).await.expect("it ends in order");
    };
    let (answer, ()) = tokio::join!(running, end);
    answer.expect("the running call finishes");
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);

    let channel = world.channel("auth", &[ending.address, staying.address]);
    for _ in 0..20 {
        publish(&channel).await.unwrap();
    }
}
