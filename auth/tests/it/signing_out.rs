//! Signing out: the token that signed out opens nothing from the next request on, whatever the KV does.

use proto::auth as pb;
use proto::kv::{AccessState, revoked_key};
use proto::{ErrorCode, kv};
use serde_json::Value;
use testkit::redis::Redis;

use crate::people::{claims, refresh_token};
use crate::voices::{Refusal, by, hear};
use crate::world::{ANA, PASSWORD, World, on_each_database};

#[tokio::test]
async fn a_token_that_signed_out_is_revoked_and_announced_to_others() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let other = world.login(ANA, PASSWORD).await.unwrap();
        let told = claims(&tokens.access_token);
        world.wait(100);
        world.logout(&tokens).await.unwrap();

        assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
        assert_eq!(world.refresh(refresh_token(&tokens)).await.refusal(), ErrorCode::AuthSessionRevoked);
        assert_eq!(world.published(&tokens).await, Some(AccessState::Ended));
        let notice: Value =
            serde_json::from_str(&world.kv.get(&revoked_key(told.jti)).await.unwrap().unwrap()).unwrap();
        let expected = serde_json::json!({
            "revoked_at": world.clock.now(),
            "reason": "logout",
            "session_id": told.sid,
            "user_id": told.sub,
        });
        assert_eq!(notice, expected);
        world.authenticate(&other.access_token).await.unwrap();

        // It is announced for as long as the token would have lived.
        world.wait(799);
        assert!(world.kv.get(&revoked_key(told.jti)).await.unwrap().is_some());
        world.wait(1);
        assert!(world.kv.get(&revoked_key(told.jti)).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_every_token_of_the_session() {
    on_each_database(async |world: &mut World| {
        let first = world.signed_in(ANA).await;
        let second = world.refresh(refresh_token(&first)).await.unwrap();
        world.logout(&first).await.unwrap();
        for tokens in [&first, &second] {
            assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
            let key = revoked_key(claims(&tokens.access_token).jti);
            assert!(world.kv.get(&key).await.unwrap().is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_caller_alone() {
    on_each_database(async |world: &mut World| {
        let one = world.signed_in(ANA).await;
        let two = world.login(ANA, PASSWORD).await.unwrap();
        let stranger = world.signed_in("bob@example.org").await;
        let passport = world.passport(&one).await;
        hear(world.gateway.sessions().logout_all(by(&passport, pb::LogoutAllRequest {})).await).unwrap();
        for tokens in [&one, &two] {
            assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
        }
        world.authenticate(&stranger.access_token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nobody_signs_out_without_a_passport() {
    on_each_database(async |world: &mut World| {
        let refused = hear(world.gateway.sessions().logout(pb::LogoutRequest {}).await);
        assert_eq!(refused.refusal(), ErrorCode::Unauthenticated);
        let refused = hear(world.mailer.sessions().logout(pb::LogoutRequest {}).await);
        assert_eq!(refused.refusal(), ErrorCode::PermissionDenied);
    })
    .await;
}

/// The KV is emptied between any two steps.
#[tokio::test]
async fn emptying_the_kv_resurrects_no_session() {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        let redis = Redis::start();
        let world = World::with_redis(&database, &redis.url()).await;
        world.person(ANA).await;
        redis.flush();
        let tokens = world.login(ANA, PASSWORD).await.unwrap();
        redis.flush();
        world.authenticate(&tokens.access_token).await.unwrap();
        assert!(matches!(world.published(&tokens).await, Some(AccessState::Active { .. })));
        redis.flush();
        assert_eq!(world.published(&tokens).await, None);
        let renewed = world.refresh(refresh_token(&tokens)).await.unwrap();
        redis.flush();
        world.logout(&renewed).await.unwrap();
        for _ in 0..3 {
            redis.flush();
            for dead in [&tokens, &renewed] {
                assert_eq!(
                    world.authenticate(&dead.access_token).await.refusal(),
                    ErrorCode::AuthTokenRevoked
                );
                assert_eq!(world.published(dead).await, Some(AccessState::Ended));
                assert_eq!(world.refresh(refresh_token(dead)).await.refusal(), ErrorCode::AuthSessionRevoked);
            }
        }
    }
}

#[tokio::test]
async fn what_is_published_of_a_live_session_is_what_the_edge_reads() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let told = claims(&tokens.access_token);
        let who = world.authenticate(&tokens.access_token).await.unwrap();
        let tenant = who.tenant_id.parse().unwrap();
        let roles = vec!["USER".to_owned()];
        assert_eq!(world.published(&tokens).await, Some(AccessState::Active { user_id: told.sub, roles }));
        for key in [kv::user_version_key(told.sub), kv::role_version_key(tenant, "USER")] {
            assert_eq!(world.kv.get(&key).await.unwrap().as_deref(), Some("0"));
        }
        assert_eq!(told.pv, who.permission_version);
    })
    .await;
}
