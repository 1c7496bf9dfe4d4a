//! What people say of themselves.

use prost_types::FieldMask;
use proto::ErrorCode;
use proto::auth as pb;

use crate::voices::{Heard, Refusal, by, hear};
use crate::world::{ANA, BOB, World, on_each_database};

async fn update(world: &World, tokens: &pb::Tokens, profile: pb::Profile, mask: &[&str]) -> Heard<pb::User> {
    let passport = world.passport(tokens).await;
    let paths: Vec<String> = mask.iter().map(|&path| path.to_owned()).collect();
    let update_mask = (!paths.is_empty()).then_some(FieldMask { paths });
    let request = pb::UpdateMeRequest { profile: Some(profile), update_mask };
    hear(world.gateway.profiles().update_me(by(&passport, request)).await).map(|answer| answer.user.unwrap())
}

#[tokio::test]
async fn a_mask_says_what_changes_and_what_is_cleared() {
    on_each_database(async |world: &mut World| {
        let ana = world.signed_in(ANA).await;
        let profile = pb::Profile {
            display_name: Some("Ana".to_owned()),
            username: Some("ana.tran".to_owned()),
            locale: Some("vi".to_owned()),
            time_zone: Some("Asia/Ho_Chi_Minh".to_owned()),
        };
        let user = update(world, &ana, profile, &["display_name", "username"]).await.unwrap();
        assert_eq!((user.display_name.as_deref(), user.username.as_deref()), (Some("Ana"), Some("ana.tran")));
        assert_eq!((user.locale.as_str(), user.time_zone), ("en", None));
        let told = world.notify.next("user.profile-changed").await;
        assert_eq!(told.user_ids, [user.id]);

        let user = update(world, &ana, pb::Profile::default(), &["display_name", "locale"]).await.unwrap();
        assert_eq!((user.display_name, user.locale.as_str()), (None, "en"));
        assert_eq!(user.username.as_deref(), Some("ana.tran"));
        assert_eq!(world.me(&ana).await.unwrap().username.as_deref(), Some("ana.tran"));
        let foreign = update(world, &ana, pb::Profile::default(), &["status"]).await;
        assert_eq!(foreign.refusal(), ErrorCode::ValidationError);
    })
    .await;
}

#[tokio::test]
async fn a_public_name_that_is_taken_stays_with_its_owner() {
    on_each_database(async |world: &mut World| {
        let (ana, bob) = (world.signed_in(ANA).await, world.signed_in(BOB).await);
        let named = |name: &str| pb::Profile { username: Some(name.to_owned()), ..Default::default() };
        update(world, &ana, named("Ana"), &[]).await.unwrap();
        assert_eq!(update(world, &bob, named("aNA"), &[]).await.refusal(), ErrorCode::Conflict);
        assert_eq!(update(world, &bob, named("a b"), &[]).await.refusal(), ErrorCode::ValidationError);
        assert_eq!(world.me(&bob).await.unwrap().username, None);
    })
    .await;
}
