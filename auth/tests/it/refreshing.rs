//! Going on with a session: one successor to each token, honest repeats forgiven, theft answered.

use std::collections::HashSet;

use proto::ErrorCode;

use crate::people::{claims, refresh_token};
use crate::voices::Refusal;
use crate::world::{ANA, PASSWORD, World, on_each_database};

#[tokio::test]
async fn a_hundred_refreshes_at_once_are_given_one_successor() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let attempts = (0..100).map(|_| world.refresh(refresh_token(&tokens)));
        let answers = futures::future::join_all(attempts).await;
        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(refused.is_empty(), "{refused:?}");
        let successors: HashSet<_> = answers.iter().flatten().map(refresh_token).collect();
        let ids: HashSet<_> =
            answers.iter().flatten().map(|tokens| claims(&tokens.access_token).jti).collect();
        assert_eq!((successors.len(), ids.len()), (1, 1));
        assert_eq!(world.rows.count("refresh_token").await, 2, "the first and its one successor");
        world.refresh(successors.into_iter().next().unwrap()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_repeat_within_the_leeway_is_given_the_same_answer() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let first = world.refresh(refresh_token(&tokens)).await.unwrap();
        world.wait(9);
        let second = world.refresh(refresh_token(&tokens)).await.unwrap();
        assert_eq!(refresh_token(&first), refresh_token(&second));
        assert_eq!(first.access_token, second.access_token);
        assert_eq!((first.expires_in, second.expires_in), (900, 891));
        world.authenticate(&second.access_token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_repeat_after_the_leeway_ends_every_session_and_raises_the_alarm() {
    on_each_database(async |world: &mut World| {
        let stolen = world.signed_in(ANA).await;
        let other = world.login(ANA, PASSWORD).await.unwrap();
        let current = world.refresh(refresh_token(&stolen)).await.unwrap();
        world.wait(10);

        assert_eq!(world.refresh(refresh_token(&stolen)).await.refusal(), ErrorCode::AuthTokenReused);
        for tokens in [&stolen, &current, &other] {
            assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
            assert_eq!(world.refresh(refresh_token(tokens)).await.refusal(), ErrorCode::AuthSessionRevoked);
        }
        let alarm = world.notify.next("security.token-reused").await;
        assert_eq!(alarm.user_ids, [claims(&stolen.access_token).sub.to_string()]);
        let critical = "audit_record WHERE action = 'session.token-reused' AND severity = 'CRITICAL' AND ip_address = '203.0.113.7'";
        assert_eq!(world.rows.count(critical).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_theft_tried_many_times_at_once_raises_one_alarm() {
    on_each_database(async |world: &mut World| {
        let stolen = world.signed_in(ANA).await;
        world.refresh(refresh_token(&stolen)).await.unwrap();
        world.wait(10);
        let attempts = (0..10).map(|_| world.refresh(refresh_token(&stolen)));
        for answer in futures::future::join_all(attempts).await {
            let code = answer.refusal();
            assert!(matches!(code, ErrorCode::AuthTokenReused | ErrorCode::AuthSessionRevoked), "{code:?}");
        }
        world.rows.until_done("outbox").await;
        assert_eq!(world.notify.all("security.token-reused").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_token_two_generations_old_is_theft_even_within_the_leeway() {
    on_each_database(async |world: &mut World| {
        let first = world.signed_in(ANA).await;
        let second = world.refresh(refresh_token(&first)).await.unwrap();
        let third = world.refresh(refresh_token(&second)).await.unwrap();
        assert_eq!(world.refresh(refresh_token(&first)).await.refusal(), ErrorCode::AuthTokenReused);
        assert_eq!(world.authenticate(&third.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_ends_nothing() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let (selector, verifier) = refresh_token(&tokens).split_once('.').unwrap();
        let flipped: String = verifier.chars().rev().collect();
        for forged in
            [format!("{selector}.{flipped}"), format!("{selector}."), selector.to_owned(), "a.b".to_owned()]
        {
            assert_eq!(world.refresh(&forged).await.refusal(), ErrorCode::AuthTokenInvalid, "{forged}");
        }
        let used = world.refresh(refresh_token(&tokens)).await.unwrap();
        world.wait(60);
        let forged_old = format!("{selector}.{flipped}");
        assert_eq!(world.refresh(&forged_old).await.refusal(), ErrorCode::AuthTokenInvalid);
        world.refresh(refresh_token(&used)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_idle_time_and_its_whole_time() {
    on_each_database(async |world: &mut World| {
        const DAY: u64 = 86_400;
        let idle = world.signed_in(ANA).await;
        world.wait(14 * DAY);
        assert_eq!(world.refresh(refresh_token(&idle)).await.refusal(), ErrorCode::AuthSessionRevoked);

        let mut tokens = world.login(ANA, PASSWORD).await.unwrap();
        for _ in 0..8 {
            world.wait(10 * DAY);
            tokens = world.refresh(refresh_token(&tokens)).await.unwrap();
        }
        world.wait(10 * DAY);
        assert_eq!(world.refresh(refresh_token(&tokens)).await.refusal(), ErrorCode::AuthSessionRevoked);
        assert_eq!(world.notify.all("security.token-reused").len(), 0);
    })
    .await;
}
