//! A forgotten password: a link and a code to the address, one use of either, and every session ends.

use proto::ErrorCode;
use proto::auth as pb;

use crate::people::refresh_token;
use crate::voices::{Heard, Refusal, from_client, hear};
use crate::world::{ANA, BOB, NEW_PASSWORD, PASSWORD, World, on_each_database};

async fn forgot(world: &World, email: &str) -> Heard<()> {
    let request = pb::ForgotPasswordRequest { email: email.to_owned() };
    hear(world.gateway.accounts().forgot_password(from_client(request)).await).map(|_| ())
}

async fn reset(world: &World, token: &str, new: &str) -> Heard<()> {
    let request = pb::ResetPasswordRequest { token: token.to_owned(), new_password: new.to_owned() };
    hear(world.gateway.accounts().reset_password(from_client(request)).await).map(|_| ())
}

async fn change_code(world: &World, email: &str, code: &str) -> Heard<pb::VerifyCodeResponse> {
    let purpose = pb::CodePurpose::ForgotPassword.into();
    let request = pb::VerifyCodeRequest { email: email.to_owned(), purpose, code: code.to_owned() };
    hear(world.gateway.accounts().verify_code(from_client(request)).await)
}

const ASKED: &str = "auth.password-reset-requested";

#[tokio::test]
async fn a_link_resets_the_password_once_and_ends_every_session() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        forgot(world, ANA).await.unwrap();
        let mail = world.mail(ASKED).await;
        let weak = reset(world, &mail.token, "Password1").await.unwrap_err();
        assert_eq!(
            (weak.code(), weak.violations()[0].field.as_str()),
            (ErrorCode::ValidationError, "newPassword")
        );

        reset(world, &mail.token, NEW_PASSWORD).await.unwrap();
        assert_eq!(reset(world, &mail.token, PASSWORD).await.refusal(), ErrorCode::AuthLinkInvalid);
        assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthTokenRevoked);
        assert_eq!(world.refresh(refresh_token(&tokens)).await.refusal(), ErrorCode::AuthSessionRevoked);
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::AuthInvalidCredentials);
        world.login(ANA, NEW_PASSWORD).await.unwrap();
        world.notify.next("auth.password-changed").await;
        // The code beside the link went with it.
        assert_eq!(change_code(world, ANA, &mail.code.unwrap()).await.refusal(), ErrorCode::AuthOtpInvalid);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_changed_into_a_token_that_resets_once() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        forgot(world, ANA).await.unwrap();
        let mail = world.mail(ASKED).await;
        let code = mail.code.unwrap();
        assert_eq!(change_code(world, BOB, &code).await.refusal(), ErrorCode::AuthOtpInvalid);
        let session = change_code(world, ANA, &code).await.unwrap();
        assert_eq!(session.expires_in, 3_600);
        assert_eq!(change_code(world, ANA, &code).await.refusal(), ErrorCode::AuthOtpInvalid);
        assert_eq!(world.verify_by_token(&session.session_token).await.refusal(), ErrorCode::AuthLinkInvalid);

        reset(world, &session.session_token, NEW_PASSWORD).await.unwrap();
        assert_eq!(
            reset(world, &session.session_token, PASSWORD).await.refusal(),
            ErrorCode::AuthLinkInvalid
        );
        assert_eq!(reset(world, &mail.token, PASSWORD).await.refusal(), ErrorCode::AuthLinkInvalid);
        world.login(ANA, NEW_PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_many_resets_at_once_by_one_link_one_succeeds() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        forgot(world, ANA).await.unwrap();
        let token = world.mail(ASKED).await.token;
        let passwords: Vec<String> = (0..8).map(|number| format!("{NEW_PASSWORD} {number}")).collect();
        let answers = futures::future::join_all(passwords.iter().map(|new| reset(world, &token, new))).await;
        let won: Vec<_> = answers.iter().zip(&passwords).filter(|(answer, _)| answer.is_ok()).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        world.login(ANA, won[0].1).await.unwrap();
        let lost = answers.iter().filter_map(|answer| answer.as_ref().err());
        assert!(lost.into_iter().all(|error| error.code() == ErrorCode::AuthLinkInvalid));
    })
    .await;
}

#[tokio::test]
async fn a_stranger_is_answered_as_an_owner_is() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        forgot(world, ANA).await.unwrap();
        forgot(world, "nobody@example.org").await.unwrap();
        for email in [ANA, "nobody@example.org"] {
            assert_eq!(change_code(world, email, "000000").await.refusal(), ErrorCode::AuthOtpInvalid);
        }
        world.mail(ASKED).await;
        world.rows.until_done("outbox").await;
        assert_eq!(world.notify.all(ASKED).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_link_lives_half_an_hour_and_its_page_changes_nothing_by_being_read() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        forgot(world, ANA).await.unwrap();
        let token = world.mail(ASKED).await.token;
        for _ in 0..2 {
            let request = pb::ShowResetPasswordRequest { token: token.clone() };
            let page = hear(world.gateway.pages().show_reset_password(request).await).unwrap().page.unwrap();
            assert!(String::from_utf8(page.data).unwrap().contains(&token));
        }
        world.wait(1_799);
        let submit = async |password: &str| {
            let request =
                pb::SubmitResetPasswordRequest { token: token.clone(), new_password: password.to_owned() };
            let page = hear(world.gateway.pages().submit_reset_password(from_client(request)).await).unwrap();
            String::from_utf8(page.page.unwrap().data).unwrap()
        };
        assert!(submit("short").await.contains("must have at least 8 characters"));
        world.wait(1);
        assert!(!submit(NEW_PASSWORD).await.contains("<form"));
        world.login(ANA, PASSWORD).await.unwrap();
    })
    .await;
}
