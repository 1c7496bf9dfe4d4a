//! A dependency is away: answers come in bounded time, and no right comes back.

use std::time::{Duration, Instant};

use proto::ErrorCode;
use testkit::postgres::Server;
use testkit::redis::Redis;

use crate::people::refresh_token;
use crate::voices::Refusal;
use crate::world::{ANA, PASSWORD, World};

const BOUND: Duration = Duration::from_millis(5_500);

#[tokio::test]
async fn without_a_database_every_answer_is_a_timely_503_and_it_heals() {
    let mut server = Server::start();
    let database = server.fresh_database();
    let world = World::on(&database, &[]).await;
    let tokens = world.signed_in(ANA).await;
    server.stop();

    let begun = Instant::now();
    let (login, refresh, who, register) = tokio::join!(
        world.login(ANA, PASSWORD),
        world.refresh(refresh_token(&tokens)),
        world.authenticate(&tokens.access_token),
        world.register("bob@example.org", PASSWORD),
    );
    for refused in [login.map(drop), refresh.map(drop), who.map(drop), register] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ServiceUnavailable, "{refused:?}");
        assert!(refused.retry_after_hint().is_some());
    }
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());

    server.restart();
    let heals = async {
        let mut glance = tokio::time::interval(Duration::from_millis(50));
        while world.authenticate(&tokens.access_token).await.is_err() {
            glance.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heals).await.unwrap();
    world.refresh(refresh_token(&tokens)).await.unwrap();
}

#[tokio::test]
async fn a_frozen_database_holds_nobody_longer_than_the_deadline() {
    let server = Server::start();
    let database = server.fresh_database();
    let world = World::on(&database, &[]).await;
    let tokens = world.signed_in(ANA).await;
    server.pause();
    let begun = Instant::now();
    let (login, who) = tokio::join!(world.login(ANA, PASSWORD), world.authenticate(&tokens.access_token));
    for code in [login.refusal(), who.refusal()] {
        assert!(matches!(code, ErrorCode::ServiceUnavailable | ErrorCode::UpstreamTimeout), "{code:?}");
    }
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    server.resume();
    let heals = async { while world.authenticate(&tokens.access_token).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(10), heals).await.unwrap();
}

#[tokio::test]
async fn without_the_kv_people_register_sign_in_and_out_and_what_ended_stays_ended() {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        let mut redis = Redis::start();
        let world = World::with_redis(&database, &redis.url()).await;
        let before = world.signed_in(ANA).await;
        world.authenticate(&before.access_token).await.unwrap();
        redis.stop();

        world.register("bob@example.org", PASSWORD).await.unwrap();
        let mail = world.mail("user.registered").await;
        assert_eq!(mail.code, None, "a code that could not be counted is not mailed");
        world.verify_by_token(&mail.token).await.unwrap();
        assert_eq!(world.verify_by_code(ANA, "123456").await.refusal(), ErrorCode::ServiceUnavailable);
        world.login("bob@example.org", PASSWORD).await.unwrap();
        let tokens = world.login(ANA, PASSWORD).await.unwrap();
        world.logout(&tokens).await.unwrap();
        for _ in 0..2 {
            assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
            world.authenticate(&before.access_token).await.unwrap();
            redis.restart();
        }
    }
}
