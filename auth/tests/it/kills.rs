//! Kill points: auth ends between a commit and what follows from it; whoever comes next follows it up.

use proto::ErrorCode;
use proto::kv::{AccessState, revoked_key};
use testkit::proxy::Proxy;
use testkit::redis::Redis;

use crate::notify::Mood;
use crate::people::claims;
use crate::voices::Refusal;
use crate::world::{ANA, PASSWORD, World, on_each_database};

/// Longer than a lease of the outbox.
const LEASE: u64 = 60;

#[tokio::test]
async fn an_event_that_was_committed_is_told_by_the_next_process() {
    on_each_database(async |world: &mut World| {
        world.notify.is(Mood::Refuses(ErrorCode::ServiceUnavailable));
        world.register(ANA, PASSWORD).await.unwrap();
        world.kill_auth();
        world.notify.is(Mood::Takes);
        world.wait(LEASE);
        world.start_auth(&[]).await;
        let mail = world.mail("user.registered").await;
        world.verify_by_token(&mail.token).await.unwrap();
        world.rows.until_done("outbox").await;
        assert_eq!(world.notify.all("user.registered").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_whose_taking_was_not_written_down_is_told_again_under_the_same_id() {
    on_each_database(async |world: &mut World| {
        world.notify.is(Mood::Swallows);
        world.register(ANA, PASSWORD).await.unwrap();
        let first = world.notify.next("user.registered").await;
        world.kill_auth();
        assert_eq!(world.rows.count("job WHERE queue = 'outbox' AND state = 'running'").await, 1);

        world.notify.is(Mood::Takes);
        world.wait(LEASE);
        world.start_auth(&[]).await;
        let second = world.notify.next("user.registered").await;
        assert_eq!(first, second, "the same event, id and all");
        world.rows.until_done("outbox").await;
        assert_eq!(
            world
                .rows
                .count(
                    "job WHERE queue = 'outbox' AND payload IS NOT NULL AND CAST(payload AS text) <> 'null'"
                )
                .await,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn an_event_that_notify_will_never_take_is_set_aside_and_the_others_go_on() {
    on_each_database(async |world: &mut World| {
        world.notify.is(Mood::Refuses(ErrorCode::ValidationError));
        world.register(ANA, PASSWORD).await.unwrap();
        world.rows.until_done("outbox").await;
        assert_eq!(world.rows.count("job WHERE queue = 'outbox' AND state = 'dead'").await, 1);
        world.notify.is(Mood::Takes);
        world.person("bob@example.org").await;
    })
    .await;
}

/// Auth is cut off from the KV from before the fence, and killed before it could publish.
#[tokio::test]
async fn an_end_that_could_not_be_published_is_published_by_the_next_process() {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        let redis = Redis::start();
        let road = Proxy::start(redis.url().replace("redis://", "")).await;
        let mut world = World::with_redis(&database, &format!("redis://{}", road.address())).await;
        world.kv = chassis::Kv::connect(&redis.url().into()).await.unwrap();
        let tokens = world.signed_in(ANA).await;
        let passport = world.passport(&tokens).await;
        assert!(matches!(world.published(&tokens).await, Some(AccessState::Active { .. })));

        road.cut();
        let request = crate::voices::by(&passport, proto::auth::LogoutRequest {});
        crate::voices::hear(world.gateway.sessions().logout(request).await).unwrap();
        assert!(
            matches!(world.published(&tokens).await, Some(AccessState::Active { .. })),
            "the lie that is to end"
        );
        assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
        world.kill_auth();

        road.resume();
        world.wait(LEASE);
        world.start_auth(&[]).await;
        world.rows.until_done("publish_access").await;
        assert_eq!(world.published(&tokens).await, Some(AccessState::Ended));
        let notice = world.kv.get(&revoked_key(claims(&tokens.access_token).jti)).await.unwrap().unwrap();
        assert!(notice.contains("\"reason\":\"logout\""), "{notice}");
    }
}
