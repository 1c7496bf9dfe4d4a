//! How an account comes to be: register, prove the address, sign in.

use proto::ErrorCode;
use proto::auth as pb;

use crate::people::claims;
use crate::voices::{Refusal, from_client, hear};
use crate::world::{ANA, BOB, NEW_PASSWORD, PASSWORD, World, on_each_database};

fn named(email: &str, username: &str) -> pb::RegisterRequest {
    pb::RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        username: Some(username.to_owned()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_person_registers_verifies_by_the_link_and_signs_in() {
    on_each_database(async |world: &mut World| {
        world.register("  Ana@Example.ORG ", PASSWORD).await.unwrap();
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::AuthAccountUnverified);

        let mail = world.mail("user.registered").await;
        world.verify_by_token(&mail.token).await.unwrap();
        let tokens = world.login(ANA, PASSWORD).await.unwrap();
        let who = world.authenticate(&tokens.access_token).await.unwrap();
        let me = world.me(&tokens).await.unwrap();

        assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", 900));
        assert_eq!((me.email.as_str(), me.email_verified, me.locale.as_str()), (ANA, true, "en"));
        assert_eq!((me.id.as_str(), me.roles), (who.user_id.as_str(), vec!["USER".to_owned()]));
        assert_eq!(who.session_id, claims(&tokens.access_token).sid.to_string());
        assert_eq!((who.tenant_slug.as_str(), who.roles), ("default", vec!["USER".to_owned()]));
        let welcome = world.notify.next("user.verified").await;
        assert_eq!(welcome.user_ids, [me.id]);
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_and_a_newer_one_ends_the_older() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let older = world.mail("user.registered").await;
        world.wait(61);
        let request = pb::ResendVerificationRequest { email: ANA.to_owned() };
        hear(world.gateway.accounts().resend_verification(from_client(request)).await).unwrap();
        let newer = world.mail("user.registered").await;

        assert_eq!(world.verify_by_token(&older.token).await.refusal(), ErrorCode::AuthLinkInvalid);
        world.verify_by_token(&newer.token).await.unwrap();
        assert_eq!(world.verify_by_token(&newer.token).await.refusal(), ErrorCode::AuthLinkInvalid);
        for nonsense in ["", ".", "AAAA.BBBB", "no dot", &newer.token[..newer.token.len() - 2]] {
            let refusal = world.verify_by_token(nonsense).await.refusal();
            assert!(
                matches!(refusal, ErrorCode::AuthLinkInvalid | ErrorCode::ValidationError),
                "{nonsense}: {refusal:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_with_its_day() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let event = world.notify.next("user.registered").await;
        let reference = event.secret_reference.unwrap();
        let mail = world.reveal(&reference).await.unwrap();
        assert_eq!(mail.expires_in, 86_400);
        world.wait(86_400);
        assert_eq!(world.verify_by_token(&mail.token).await.refusal(), ErrorCode::AuthLinkInvalid);
        assert_eq!(world.reveal(&reference).await.refusal(), ErrorCode::AuthLinkInvalid);
    })
    .await;
}

#[tokio::test]
async fn registering_an_address_that_has_an_account_is_answered_the_same_and_tells_its_owner() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        world.register(ANA, NEW_PASSWORD).await.unwrap();

        let told = world.notify.next("user.register-repeated").await;
        assert_eq!(told.secret_reference, None);
        assert_eq!(world.login(ANA, NEW_PASSWORD).await.refusal(), ErrorCode::AuthInvalidCredentials);
        let tokens = world.login(ANA, PASSWORD).await.unwrap();
        assert_eq!(told.user_ids, [tokens.user.unwrap().id]);
        assert_eq!(world.notify.all("user.registered").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn registering_again_before_verification_replaces_the_password_and_voids_earlier_links() {
    on_each_database(async |world: &mut World| {
        world.register(ANA, PASSWORD).await.unwrap();
        let first = world.mail("user.registered").await;
        world.register(ANA, NEW_PASSWORD).await.unwrap();
        let second = world.mail("user.registered").await;

        assert_eq!(world.verify_by_token(&first.token).await.refusal(), ErrorCode::AuthLinkInvalid);
        let code = world.verify_by_code(ANA, &first.code.unwrap()).await;
        assert_eq!(code.refusal(), ErrorCode::AuthOtpInvalid);
        world.verify_by_token(&second.token).await.unwrap();
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::AuthInvalidCredentials);
        world.login(ANA, NEW_PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_verification_and_a_second_registration_at_once_leave_one_password_to_its_prover() {
    on_each_database(async |world: &mut World| {
        for round in 0..8 {
            let email = format!("p{round}@example.org");
            world.register(&email, PASSWORD).await.unwrap();
            let mail = world.mail("user.registered").await;
            let (verified, registered) =
                tokio::join!(world.verify_by_token(&mail.token), world.register(&email, NEW_PASSWORD));
            registered.unwrap();
            if verified.is_ok() {
                world.login(&email, PASSWORD).await.unwrap();
            } else {
                let again = world.mail("user.registered").await;
                world.verify_by_token(&again.token).await.unwrap();
                world.login(&email, NEW_PASSWORD).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_public_name_has_one_owner_whatever_its_case() {
    on_each_database(async |world: &mut World| {
        world.register_with(named(ANA, "Ana.Tran")).await.unwrap();
        assert_eq!(world.register_with(named(BOB, "ana.tran")).await.refusal(), ErrorCode::Conflict);

        let mail = world.mail("user.registered").await;
        world.verify_by_token(&mail.token).await.unwrap();
        let by_name = pb::LoginRequest {
            username: Some("ANA.TRAN".to_owned()),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        let tokens = world.login_with(by_name).await.unwrap();
        assert_eq!(tokens.user.unwrap().username.as_deref(), Some("Ana.Tran"));
    })
    .await;
}

#[tokio::test]
async fn an_address_registered_by_many_at_once_has_one_account() {
    on_each_database(async |world: &mut World| {
        let wishes = (0..8).map(|_| world.register(ANA, PASSWORD));
        let answers = futures::future::join_all(wishes).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(world.rows.count(&format!("user_account WHERE email = '{ANA}'")).await, 1);
        let open = "link WHERE used_at IS NULL AND purpose = 'verify_email'";
        assert_eq!(world.rows.count(open).await, 1, "the newest alone is open");
    })
    .await;
}
