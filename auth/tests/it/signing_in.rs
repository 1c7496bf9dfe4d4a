//! Signing in: what is asked, what is refused, and what a refusal gives away.

use proto::auth as pb;
use proto::{ErrorCode, ServiceError};

use crate::people::claims;
use crate::voices::Refusal;
use crate::world::{ANA, PASSWORD, World, on_each_database};

/// Everything a client sees of a refusal.
fn seen(error: &ServiceError) -> (ErrorCode, String, usize) {
    (error.code(), error.text().to_owned(), error.violations().len())
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_answered_the_same() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let wrong = world.login(ANA, "not the password").await.unwrap_err();
        let unknown = world.login("nobody@example.org", PASSWORD).await.unwrap_err();
        let unnamed = pb::LoginRequest {
            username: Some("nobody".to_owned()),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        let unnamed = world.login_with(unnamed).await.unwrap_err();
        assert_eq!(seen(&wrong), (ErrorCode::AuthInvalidCredentials, wrong.text().to_owned(), 0));
        assert_eq!(seen(&wrong), seen(&unknown));
        assert_eq!(seen(&wrong), seen(&unnamed));
        assert_eq!(
            world
                .rows
                .count("audit_record WHERE action = 'session.login-failed' AND severity = 'WARNING'")
                .await,
            3
        );
    })
    .await;
}

#[tokio::test]
async fn an_account_tells_how_it_stands_only_after_the_right_password() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        for (status, code) in
            [("banned", ErrorCode::AuthAccountBanned), ("pending", ErrorCode::AuthAccountPending)]
        {
            world
                .rows
                .execute(&format!("UPDATE user_account SET status = '{status}' WHERE email = '{ANA}'"))
                .await;
            assert_eq!(
                world.login(ANA, "not the password").await.refusal(),
                ErrorCode::AuthInvalidCredentials
            );
            assert_eq!(world.login(ANA, PASSWORD).await.refusal(), code);
        }
        world
            .rows
            .execute(&format!(
                "UPDATE user_account SET status = 'active', email_verified_at = NULL WHERE email = '{ANA}'"
            ))
            .await;
        assert_eq!(world.login(ANA, "not the password").await.refusal(), ErrorCode::AuthInvalidCredentials);
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::AuthAccountUnverified);
    })
    .await;
}

#[tokio::test]
async fn a_ban_reaches_the_tokens_that_are_out() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        world.rows.execute(&format!("UPDATE user_account SET status = 'banned' WHERE email = '{ANA}'")).await;
        assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::AuthAccountBanned);
        let refreshed = world.refresh(tokens.refresh_token.as_deref().unwrap()).await;
        assert_eq!(refreshed.refusal(), ErrorCode::AuthAccountBanned);
    })
    .await;
}

#[tokio::test]
async fn an_old_hash_is_renewed_at_the_next_sign_in() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let cost = async |world: &World| {
            let hashes = world
                .rows
                .select(&format!("SELECT password_hash FROM user_account WHERE email = '{ANA}'"))
                .await;
            hashes[0].split('$').nth(3).unwrap().to_owned()
        };
        assert_eq!(cost(world).await, "m=64,t=1,p=1");

        world.kill_auth();
        world.start_auth(&[("AUTH_HASH_MEMORY_KIB", "128"), ("AUTH_HASH_PASSES", "2")]).await;
        assert_eq!(world.login(ANA, "not the password").await.refusal(), ErrorCode::AuthInvalidCredentials);
        assert_eq!(cost(world).await, "m=64,t=1,p=1");
        world.login(ANA, PASSWORD).await.unwrap();
        assert_eq!(cost(world).await, "m=128,t=2,p=1");
        world.login(ANA, PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sixth_session_ends_the_oldest_and_says_so() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let mut sessions = Vec::new();
        for _ in 0..5 {
            sessions.push(world.login(ANA, PASSWORD).await.unwrap());
            world.wait(1);
        }
        // The first was used since: the second is the one used longest ago.
        sessions[0] = world.refresh(sessions[0].refresh_token.as_deref().unwrap()).await.unwrap();
        world.wait(1);
        assert_eq!(world.notify.all("auth.session-limit-reached").len(), 0);

        let sixth = world.login(ANA, PASSWORD).await.unwrap();
        let told = world.notify.next("auth.session-limit-reached").await;
        assert_eq!(told.user_ids, [claims(&sixth.access_token).sub.to_string()]);
        assert_eq!(
            world.authenticate(&sessions[1].access_token).await.refusal(),
            ErrorCode::AuthTokenRevoked
        );
        for alive in sessions
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != 1)
            .map(|(_, tokens)| tokens)
            .chain([&sixth])
        {
            world.authenticate(&alive.access_token).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn many_sign_ins_at_once_stay_under_the_limit() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let attempts = (0..12).map(|_| world.login(ANA, PASSWORD));
        let tokens = futures::future::join_all(attempts).await;
        assert!(tokens.iter().all(Result::is_ok), "{tokens:?}");
        assert_eq!(world.rows.count("session WHERE status = 'active'").await, 5);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_asks_for_one_name_and_keeps_its_context_small() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        let attempt = pb::LoginRequest {
            email: Some(ANA.to_owned()),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        let both = pb::LoginRequest { username: Some("ana".to_owned()), ..attempt.clone() };
        let neither = pb::LoginRequest { email: None, ..attempt.clone() };
        let text =
            prost_types::Value { kind: Some(prost_types::value::Kind::StringValue("x".repeat(5_000))) };
        let context = prost_types::Struct { fields: [("note".to_owned(), text)].into() };
        let large = pb::LoginRequest { login_context: Some(context), ..attempt };
        for (attempt, field) in [(both, "email"), (neither, "email"), (large, "loginContext")] {
            let refused = world.login_with(attempt).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::ValidationError);
            assert_eq!(refused.violations()[0].field, field);
        }
    })
    .await;
}
