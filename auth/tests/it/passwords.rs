//! Which passwords are taken, and how one is changed.

use proto::ErrorCode;
use proto::auth as pb;

use crate::people::{claims, refresh_token};
use crate::voices::{Heard, Refusal, by, hear};
use crate::world::{ANA, NEW_PASSWORD, PASSWORD, World, on_each_database};

async fn change(world: &World, tokens: &pb::Tokens, current: &str, new: &str) -> Heard<pb::Tokens> {
    let passport = world.passport(tokens).await;
    let request =
        pb::ChangePasswordRequest { current_password: current.to_owned(), new_password: new.to_owned() };
    let answer = hear(world.gateway.accounts().change_password(by(&passport, request)).await);
    answer.map(|answer| answer.tokens.unwrap())
}

#[tokio::test]
async fn a_password_is_judged_by_length_and_by_what_is_guessed_first() {
    on_each_database(async |world: &mut World| {
        for refused in ["short77", "Password1", "abababababab", "ana@example.org1", &"ab c".repeat(33)] {
            let error = world.register(ANA, refused).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValidationError, "{refused}");
            assert_eq!(error.violations()[0].field, "password");
            assert!(!error.violations()[0].message.contains(refused));
        }
        let long = "ab c".repeat(32);
        for (index, taken) in
            ["aaaa bbbb cccc dddd", "m\u{1ead}t kh\u{1ea9}u d\u{e0}i", &long].into_iter().enumerate()
        {
            let email = format!("p{index}@example.org");
            world.register(&email, taken).await.unwrap();
            let mail = world.mail("user.registered").await;
            world.verify_by_token(&mail.token).await.unwrap();
            world.login(&email, taken).await.unwrap();
        }
        let almost = format!("{}x", &long[..127]);
        assert_eq!(world.login("p2@example.org", &almost).await.refusal(), ErrorCode::AuthInvalidCredentials);
    })
    .await;
}

#[tokio::test]
async fn both_spellings_of_one_password_open_the_account() {
    on_each_database(async |world: &mut World| {
        let (nfc, nfd) = ("caf\u{e9} au lait chaud", "cafe\u{301} au lait chaud");
        world.register(ANA, nfd).await.unwrap();
        let mail = world.mail("user.registered").await;
        world.verify_by_token(&mail.token).await.unwrap();
        world.login(ANA, nfc).await.unwrap();
        world.login(ANA, nfd).await.unwrap();
        assert_eq!(world.login(ANA, "cafe au lait chaud").await.refusal(), ErrorCode::AuthInvalidCredentials);
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_every_earlier_session_and_begins_one() {
    on_each_database(async |world: &mut World| {
        let here = world.signed_in(ANA).await;
        let there = world.login(ANA, PASSWORD).await.unwrap();
        let new = change(world, &here, PASSWORD, NEW_PASSWORD).await.unwrap();

        for tokens in [&here, &there] {
            assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
            assert_eq!(world.refresh(refresh_token(tokens)).await.refusal(), ErrorCode::AuthSessionRevoked);
        }
        assert_ne!(claims(&new.access_token).sid, claims(&here.access_token).sid);
        world.authenticate(&new.access_token).await.unwrap();
        world.notify.next("auth.password-changed").await;
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::AuthInvalidCredentials);
        world.login(ANA, NEW_PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_the_present_one() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        let wrong = change(world, &tokens, "not the password", NEW_PASSWORD).await;
        assert_eq!(wrong.refusal(), ErrorCode::AuthInvalidCredentials);
        let weak = change(world, &tokens, PASSWORD, "Password1").await.unwrap_err();
        assert_eq!(
            (weak.code(), weak.violations()[0].field.as_str()),
            (ErrorCode::ValidationError, "newPassword")
        );
        world.authenticate(&tokens.access_token).await.unwrap();
        world.rows.until_done("outbox").await;
        assert_eq!(world.notify.all("auth.password-changed").len(), 0);
    })
    .await;
}

/// A sign-in that proved the old password just before it was changed.
#[tokio::test]
async fn no_session_of_an_old_password_outlives_its_change() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let mut password = PASSWORD.to_owned();
        for round in 0..6 {
            let tokens = world.login(ANA, &password).await.unwrap();
            let new = format!("{NEW_PASSWORD} {round}");
            let sign_ins = futures::future::join_all((0..4).map(|_| world.login(ANA, &password)));
            let (changed, sign_ins) = tokio::join!(change(world, &tokens, &password, &new), sign_ins);
            let changed = changed.unwrap();
            for tokens in sign_ins.into_iter().flatten() {
                assert_eq!(
                    world.authenticate(&tokens.access_token).await.refusal(),
                    ErrorCode::AuthTokenRevoked
                );
            }
            world.authenticate(&changed.access_token).await.unwrap();
            password = new;
        }
    })
    .await;
}
