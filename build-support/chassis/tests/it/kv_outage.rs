//! A Redis that is away: nobody waits long, nobody waits twice, and it heals by itself.

use std::time::{Duration, Instant};

use chassis::Kv;
use chassis::kv::COMMAND_TIMEOUT;
use testkit::redis::Redis;

const MINUTE: Duration = Duration::from_mins(1);

async fn until_it_answers(kv: &Kv) {
    let begun = Instant::now();
    while kv.ping().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_stopped_server_fails_fast_and_heals_when_it_is_back() {
    let mut redis = Redis::start();
    let kv = Kv::connect(&redis.url().into()).await.unwrap();
    kv.set("a", "1", MINUTE).await.unwrap();

    redis.stop();
    let begun = Instant::now();
    for _ in 0..50 {
        kv.get("a").await.unwrap_err();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    redis.restart();
    until_it_answers(&kv).await;
    assert_eq!(kv.get("a").await.unwrap(), None);
    assert!(kv.set_if_newer("a", "1", MINUTE).await.unwrap(), "scripts are loaded again");
}

#[tokio::test]
async fn a_frozen_server_is_waited_for_once_and_then_not_until_the_pause_is_over() {
    let redis = Redis::start();
    let kv = Kv::connect(&redis.url().into()).await.unwrap();
    redis.pause();

    let begun = Instant::now();
    kv.compare_and_set("a", "1", "2", MINUTE).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let begun = Instant::now();
    kv.get("a").await.unwrap_err();
    assert!(begun.elapsed() < COMMAND_TIMEOUT, "{:?}", begun.elapsed());

    redis.resume();
    until_it_answers(&kv).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_at_the_start_is_found_later() {
    let mut redis = Redis::start();
    redis.stop();
    let kv = Kv::connect(&redis.url().into()).await.unwrap();
    kv.get("a").await.unwrap_err();
    redis.restart();
    until_it_answers(&kv).await;
}

#[tokio::test]
async fn scripts_survive_a_script_flush() {
    let redis = Redis::start();
    let kv = Kv::connect(&redis.url().into()).await.unwrap();
    assert!(kv.set_if_newer("a", "1", MINUTE).await.unwrap());
    assert_eq!(redis.command("SCRIPT FLUSH"), "+OK");
    assert!(kv.set_if_newer("a", "2", MINUTE).await.unwrap());
}

#[tokio::test]
async fn a_server_that_evicts_is_not_ready() {
    let redis = Redis::start();
    let kv = Kv::connect(&redis.url().into()).await.unwrap();
    kv.ping().await.unwrap();
    redis.command("CONFIG SET maxmemory-policy allkeys-lru");
    let problem = kv.ping().await.unwrap_err().to_string();
    assert!(problem.contains("allkeys-lru"), "{problem}");
}

#[tokio::test]
async fn a_malformed_address_is_refused_without_quoting_it() {
    for address in ["http://user:hush@localhost", "hush", "memory:"] {
        let problem = Kv::connect(&address.to_owned().into()).await.unwrap_err().to_string();
        assert!(!problem.contains("hush"), "{problem}");
    }
}
