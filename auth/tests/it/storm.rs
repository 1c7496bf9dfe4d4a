//! Everything one person can do, by many hands at once: refusals are the contract's, nothing breaks, and
//! who is signed in at the end is who should be.

use proto::{ErrorCode, ServiceError};

use crate::people::refresh_token;
use crate::voices::{by, hear};
use crate::world::{ANA, PASSWORD, World, on_each_database};

/// Whether a person whose sessions end under their hands may be told this.
fn is_fair(error: &ServiceError) -> bool {
    matches!(
        error.code(),
        ErrorCode::AuthTokenRevoked | ErrorCode::AuthSessionRevoked | ErrorCode::AuthTokenStale
    )
}

async fn use_one(world: &World, hand: usize) -> Result<(), ServiceError> {
    let tokens = world.login(ANA, PASSWORD).await?;
    let renewed = world.refresh(refresh_token(&tokens)).await?;
    let passport = world.authenticate(&renewed.access_token).await?.passport;
    if hand.is_multiple_of(3) {
        let request = by(&passport, proto::auth::LogoutAllRequest {});
        hear(world.gateway.sessions().logout_all(request).await)?;
    } else {
        let request = by(&passport, proto::auth::LogoutRequest {});
        hear(world.gateway.sessions().logout(request).await)?;
    }
    Ok(())
}

#[tokio::test]
async fn many_hands_on_one_account_break_nothing() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let hands = futures::future::join_all((0..16).map(|hand| use_one(world, hand))).await;
        let foul: Vec<_> =
            hands.iter().filter_map(|hand| hand.as_ref().err()).filter(|error| !is_fair(error)).collect();
        assert!(foul.is_empty(), "{foul:?}");
        let last = world.login(ANA, PASSWORD).await.unwrap();
        world.authenticate(&last.access_token).await.unwrap();
        assert!(world.rows.count("session WHERE status = 'active'").await <= 5);
        assert_eq!(world.notify.all("security.token-reused").len(), 0, "honest hands are no thieves");
    })
    .await;
}
