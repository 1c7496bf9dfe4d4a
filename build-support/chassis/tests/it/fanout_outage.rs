//! A NATS server that is away, frozen, or has forgotten everything: nobody waits long, and it heals by
//! itself.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use bytes::Bytes;
use chassis::Fanout;
use chassis::fanout::{ANSWER_TIMEOUT, FanoutConfig, Received, Subscription};
use testkit::nats::Nats;

const KEPT: Duration = Duration::from_mins(2);
const SOON: Duration = Duration::from_secs(10);

async fn connected(nats: &Nats) -> Fanout {
    let fanout = Fanout::connect(&nats.url().into(), None).await.unwrap();
    fanout.ensure_stream("TEST", "test.*", KEPT).await.unwrap();
    fanout
}

async fn until_published(fanout: &Fanout, text: &'static str) {
    let begun = Instant::now();
    while let Err(error) = fanout.publish("test.a", text, Bytes::from_static(text.as_bytes())).await {
        assert!(begun.elapsed() < SOON, "it does not heal: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn next(subscription: &mut Subscription) -> Received {
    tokio::time::timeout(SOON, subscription.next()).await.unwrap().unwrap()
}

fn message(text: &'static str) -> Received {
    Received::Message(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_stopped_server_fails_fast_and_after_it_is_back_nothing_is_missing_but_what_was_lost() {
    let mut nats = Nats::start();
    let (here, there) = (connected(&nats).await, connected(&nats).await);
    let mut before = there.subscribe("test.a").await.unwrap();
    let mut losses = there.connection_losses();
    losses.mark_unchanged();

    nats.stop();
    while here.ping().await.is_ok() || there.ping().await.is_ok() {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    for _ in 0..50 {
        here.publish("test.a", "lost", Bytes::new()).await.unwrap_err();
    }
    let mut during = there.subscribe("test.a").await.unwrap();
    assert!(begun.elapsed() < ANSWER_TIMEOUT, "{:?}", begun.elapsed());

    // The stream lived in the server's memory and is made again.
    nats.restart();
    tokio::time::timeout(SOON, losses.changed()).await.unwrap().unwrap();
    until_published(&here, "back").await;
    assert_eq!(next(&mut before).await, message("back"));
    assert_eq!(next(&mut during).await, message("back"), "it began when the server was back");
}

#[tokio::test]
async fn a_server_that_is_not_there_at_the_start_is_found_later() {
    let mut nats = Nats::start();
    nats.stop();
    let fanout = Fanout::connect(&nats.url().into(), None).await.unwrap();
    let mut losses = fanout.connection_losses();
    fanout.ensure_stream("TEST", "test.*", KEPT).await.unwrap_err();
    let mut subscription = fanout.subscribe("test.a").await.unwrap();
    nats.restart();
    tokio::time::timeout(SOON, losses.changed()).await.unwrap().unwrap();
    until_published(&fanout, "found").await;
    assert_eq!(next(&mut subscription).await, message("found"));
}

#[tokio::test]
async fn a_stream_that_is_gone_is_made_again_whether_anybody_subscribes_or_not() {
    let nats = Nats::start();
    let fanout = connected(&nats).await;
    let administrator = jetstream::new(async_nats::connect(nats.url()).await.unwrap());

    administrator.delete_stream("TEST").await.unwrap();
    fanout.publish("test.a", "1", Bytes::new()).await.unwrap();

    let mut subscription = fanout.subscribe("test.a").await.unwrap();
    administrator.delete_stream("TEST").await.unwrap();
    until_published(&fanout, "2").await;
    assert_eq!(next(&mut subscription).await, message("2"));
    administrator.get_stream("TEST").await.unwrap();
}

#[tokio::test]
async fn a_frozen_server_is_waited_for_no_longer_than_the_deadline() {
    let nats = Nats::start();
    let fanout = connected(&nats).await;
    nats.pause();
    let slack = ANSWER_TIMEOUT + Duration::from_millis(500);
    // A signal takes a moment to arrive: until then it answers.
    let mut begun = Instant::now();
    while fanout.publish("test.a", "1", Bytes::new()).await.is_ok() {
        begun = Instant::now();
    }
    assert!(begun.elapsed() < slack, "{:?}", begun.elapsed());
    let begun = Instant::now();
    fanout.ping().await.unwrap_err();
    assert!(begun.elapsed() < slack, "{:?}", begun.elapsed());
    nats.resume();
    until_published(&fanout, "2").await;
}

#[tokio::test]
async fn a_broker_keeps_each_id_once() {
    let nats = Nats::start();
    let fanout = connected(&nats).await;
    for _ in 0..3 {
        fanout.publish("test.a", "one id", Bytes::new()).await.unwrap();
    }
    let administrator = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let mut stream = administrator.get_stream("TEST").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
}

#[tokio::test]
async fn a_connection_ends_with_its_fan_out() {
    let nats = Nats::start();
    let fanout = connected(&nats).await;
    let mut losses = fanout.connection_losses();
    drop(fanout);
    tokio::time::timeout(SOON, async { while losses.changed().await.is_ok() {} }).await.unwrap();
}

#[test]
fn memory_serves_one_process_only() {
    let read = |url: &str, read: fn(&mut chassis::Source) -> FanoutConfig| {
        let pairs = [("NATS_URL".to_owned(), url.to_owned())];
        let mut source = chassis::Source::from_pairs(&[chassis::DEFAULTS], pairs).unwrap();
        read(&mut source);
        source.finish()
    };
    assert!(read("memory:", FanoutConfig::read).is_ok());
    assert!(read("nats://a,nats://b", FanoutConfig::read_shared).is_ok());
    let fault = read("memory:", FanoutConfig::read_shared).unwrap_err().to_string();
    assert!(fault.starts_with("NATS_URL: "), "{fault}");
}
