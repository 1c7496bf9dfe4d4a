//! Sessions: how they go on, and that they end when they should.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use proto::ErrorCode;
use serde_json::{Value, json};

use crate::judge::{Judge, refused};
use crate::world::{Person, Stand, Tokens, World};

everywhere!(
    refreshes_at_once_give_one_successor,
    a_token_two_generations_old_ends_every_session,
    a_session_that_was_left_is_refused_from_the_next_request_on,
    one_session_too_many_ends_the_oldest,
);

async fn refreshes_at_once_give_one_successor(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let first = ana.login().await;
    let answers = join_all((0..10).map(|_| ana.refresh(&first.refresh))).await;
    let successors: Vec<Tokens> = answers.into_iter().map(Tokens::of).collect();
    let next = &successors[0];
    for successor in &successors {
        assert_eq!(successor.refresh, next.refresh);
        assert_eq!(claims(&successor.access)["jti"], claims(&next.access)["jti"]);
        assert_eq!(claims(&successor.access)["sid"], claims(&first.access)["sid"]);
        ana.me(&successor.access).await.is(200);
    }
    // The answer was lost: it is given again, for as long as its token is unused.
    assert_eq!(Tokens::of(ana.refresh(&first.refresh).await).refresh, next.refresh);
    assert_ne!(Tokens::of(ana.refresh(&next.refresh).await).refresh, next.refresh);
}

async fn a_token_two_generations_old_ends_every_session(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let (first, elsewhere) = (ana.login().await, ana.login().await);
    let second = Tokens::of(ana.refresh(&first.refresh).await);
    let third = Tokens::of(ana.refresh(&second.refresh).await);

    // Guessing at a token proves nothing and ends nothing.
    let (selector, verifier) = first.refresh.split_once('.').unwrap();
    let guess = format!("{selector}.{}", verifier.chars().rev().collect::<String>());
    refused(&ana.refresh(&guess).await, ErrorCode::AuthTokenInvalid);
    ana.me(&third.access).await.is(200);

    refused(&ana.refresh(&first.refresh).await, ErrorCode::AuthTokenReused);
    for tokens in [&first, &second, &third, &elsewhere] {
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        refused(&ana.refresh(&tokens.refresh).await, ErrorCode::AuthSessionRevoked);
    }
    world.mails.arrives(&ana.email, "Security alert: we signed you out everywhere").await;
    ana.me(&ana.login().await.access).await.is(200);
}

async fn a_session_that_was_left_is_refused_from_the_next_request_on(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let (one, two, three) = (ana.login().await, ana.login().await, ana.login().await);
    for tokens in [&one, &two, &three] {
        ana.me(&tokens.access).await.is(200);
    }
    assert_eq!(ana.post("/auth/logout", &one.access, &json!({})).await.expect(200).body, json!({}));
    refused(&ana.me(&one.access).await, ErrorCode::AuthTokenRevoked);
    refused(&ana.refresh(&one.refresh).await, ErrorCode::AuthSessionRevoked);
    ana.me(&two.access).await.is(200);

    ana.post("/auth/logout-all", &two.access, &json!({})).await.is(200);
    for tokens in [&two, &three] {
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        refused(&ana.refresh(&tokens.refresh).await, ErrorCode::AuthSessionRevoked);
    }
}

async fn one_session_too_many_ends_the_oldest(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let oldest = ana.login().await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(ana.login().await);
    }
    refused(&ana.me(&oldest.access).await, ErrorCode::AuthTokenRevoked);
    for tokens in &sessions {
        ana.me(&tokens.access).await.is(200);
    }
    world.mails.arrives(&ana.email, "You were signed out on your oldest device").await;
}

#[tokio::test]
async fn emptying_redis_at_any_moment_resurrects_no_session() {
    let mut world = World::with(Stand::ThreeProcesses, &[]).await;
    let admin = Person::administrator(&world);
    let root = admin.login().await;
    let ana = Person::signed_up(&world, "ana").await;
    let kept = ana.login().await;
    let id = ana.me(&kept.access).await.expect(200).body["id"].as_str().unwrap().to_owned();

    // A code that was forgotten is a code less, not an open door; the link beside it works.
    let binh = Person::named(&world, "binh");
    binh.register(&json!({})).await.is(202);
    let mail = binh.confirmation(&world).await;
    world.backends().redis.flush();
    let code = json!({"email": binh.email, "code": mail.code().unwrap()});
    let code = binh.edge.post("/auth/verify-email").json(code).send().await;
    refused(&code, ErrorCode::AuthOtpInvalid);
    let link = json!({"token": mail.token("/auth/verify-email").unwrap()});
    binh.edge.post("/auth/verify-email").json(link).send().await.is(200);

    let mut left = Vec::new();
    for _ in 0..5 {
        let tokens = ana.login().await;
        ana.me(&tokens.access).await.is(200);
        let (redis, nothing) = (&world.backends().redis, json!({}));
        let (logout, ()) = tokio::join!(ana.post("/auth/logout", &tokens.access, &nothing), async {
            tokio::task::yield_now().await;
            redis.flush();
        });
        assert_eq!(logout.status, 200, "{}", logout.text());
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        world.backends().redis.flush();
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        left.push(tokens);
    }
    ana.me(&kept.access).await.is(200);

    let roles = json!({"roles": ["USER", "WORKER"]});
    let path = format!("/admin/users/{id}/roles");
    admin.edge.put(&path).bearer(&root.access).json(&roles).send().await.is(200);
    world.backends().redis.flush();
    refused(&ana.me(&kept.access).await, ErrorCode::AuthTokenStale);
    let kept = Tokens::of(ana.refresh(&kept.refresh).await);
    world.backends().redis.flush();
    ana.me(&kept.access).await.is(200);
    left.push(kept.clone());

    let change = json!({"currentPassword": ana.password, "newPassword": "something else entirely"});
    let fresh = Tokens::of(ana.post("/auth/change-password", &kept.access, &change).await);
    world.backends().redis.flush();
    for tokens in &left {
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        refused(&ana.refresh(&tokens.refresh).await, ErrorCode::AuthSessionRevoked);
    }
    ana.me(&fresh.access).await.is(200);
}

/// What a JWT says, its signature left alone.
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
