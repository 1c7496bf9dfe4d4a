//! The six digits beside a link: one use, few tries, a short life, and the same answer for every address.

use proto::ErrorCode;
use proto::auth as pb;

use crate::voices::{Refusal, from_client, hear};
use crate::world::{ANA, BOB, PASSWORD, World, on_each_database};

async fn resend(world: &World, email: &str) -> i32 {
    let request = pb::ResendVerificationRequest { email: email.to_owned() };
    hear(world.gateway.accounts().resend_verification(from_client(request)).await).unwrap().resend_after
}

/// Six digits that are not these.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn a_code_verifies_once() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let code = world.mail("user.registered").await.code.unwrap();
        assert_eq!(world.verify_by_code(BOB, &code).await.refusal(), ErrorCode::AuthOtpInvalid);
        world.verify_by_code(ANA, &code).await.unwrap();
        assert_eq!(world.verify_by_code(ANA, &code).await.refusal(), ErrorCode::AuthOtpInvalid);
        world.login(ANA, PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn five_wrong_codes_lock_even_the_right_one_and_leave_the_link_open() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let mail = world.mail("user.registered").await;
        let code = mail.code.unwrap();
        for _ in 0..4 {
            assert_eq!(world.verify_by_code(ANA, &wrong(&code)).await.refusal(), ErrorCode::AuthOtpInvalid);
        }
        for tried in [wrong(&code), code] {
            let locked = world.verify_by_code(ANA, &tried).await.unwrap_err();
            assert_eq!(locked.code(), ErrorCode::AuthOtpLocked);
            assert!(locked.retry_after_hint().unwrap().as_secs() <= 900);
        }
        world.verify_by_token(&mail.token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_says_so() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let code = world.mail("user.registered").await.code.unwrap();
        world.wait(600);
        assert_eq!(world.verify_by_code(ANA, &code).await.refusal(), ErrorCode::AuthOtpExpired);
    })
    .await;
}

#[tokio::test]
async fn a_code_for_one_purpose_is_none_for_another() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let code = world.mail("user.registered").await.code.unwrap();
        let request = pb::VerifyCodeRequest {
            email: ANA.to_owned(),
            purpose: pb::CodePurpose::ForgotPassword.into(),
            code: code.clone(),
        };
        let refused = hear(world.gateway.accounts().verify_code(from_client(request)).await);
        assert_eq!(refused.refusal(), ErrorCode::AuthOtpInvalid);
        world.verify_by_code(ANA, &code).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn asking_again_within_the_cool_down_sends_nothing_and_is_answered_alike_for_strangers() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        world.mail("user.registered").await;
        world.wait(61);
        let stranger = "nobody@example.org";
        assert_eq!((resend(world, ANA).await, resend(world, stranger).await), (60, 60));
        world.wait(20);
        assert_eq!((resend(world, ANA).await, resend(world, stranger).await), (40, 40));

        world.mail("user.registered").await;
        world.rows.until_done("outbox").await;
        assert_eq!(world.notify.all("user.registered").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn ten_codes_a_day_are_enough_for_anybody() {
    on_each_database(async |world: &mut World| {
        for email in [ANA, "nobody@example.org"] {
            for _ in 0..10 {
                assert_eq!(resend(world, email).await, 60);
                world.wait(61);
            }
            let request = pb::ResendVerificationRequest { email: email.to_owned() };
            let over =
                hear(world.gateway.accounts().resend_verification(from_client(request)).await).unwrap_err();
            assert_eq!(over.code(), ErrorCode::RateLimited);
            assert!(over.retry_after_hint().is_some());
        }
        assert_eq!(world.notify.kinds(), Vec::<String>::new(), "neither has an account");
    })
    .await;
}
