//! Outages of what the platform stands on: answers come in time, nothing fails open, everything heals by
//! itself.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proto::ErrorCode;
use serde_json::{Value, json};
use testkit::http::Reply;

use crate::judge::{Judge, refused};
use crate::world::{Person, Stand, Tokens, World, eventually};

/// The longest that any answer may take.
const SLOWEST: Duration = Duration::from_millis(5_500);
/// How soon after its end an outage is forgotten.
const HEALED: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outage {
    /// Connections break and are refused.
    Gone,
    /// Connections stay and nothing answers.
    Frozen,
}

#[tokio::test]
async fn without_postgresql_answers_come_in_time_and_it_heals_by_itself() {
    let mut world = World::fragile(&[]).await;
    let admin = Person::administrator(&world);
    let tokens = admin.login().await;
    admin.me(&tokens.access).await.is(200);

    for outage in [Outage::Gone, Outage::Frozen] {
        match outage {
            Outage::Gone => world.backends().postgres().stop(),
            Outage::Frozen => world.backends().postgres().pause(),
        }
        unavailable(outage, || admin.me(&tokens.access)).await;
        unavailable(outage, || admin.try_login(&admin.password)).await;
        unavailable(outage, || admin.refresh(&tokens.refresh)).await;
        refused(&admin.me("no token").await, ErrorCode::AuthTokenInvalid);
        match outage {
            Outage::Gone => world.backends().postgres().restart(),
            Outage::Frozen => world.backends().postgres().resume(),
        }
        heals(&format!("after {outage:?}"), || admin.me(&tokens.access)).await;
        heals(&format!("after {outage:?}"), || admin.try_login(&admin.password)).await;
    }
    world.is_ready().await;
    // The refresh token was shown to a platform that could not answer: it is as good as before.
    admin.refresh(&tokens.refresh).await.is(200);
}

#[tokio::test]
async fn without_auth_answers_come_in_time_and_it_heals_by_itself() {
    let world = World::with(Stand::ThreeProcesses, &[]).await;
    let admin = Person::administrator(&world);
    let tokens = admin.login().await;
    admin.me(&tokens.access).await.is(200);
    let auth = world.process_of("auth");

    for outage in [Outage::Gone, Outage::Frozen] {
        match outage {
            Outage::Gone => auth.kill(),
            Outage::Frozen => auth.pause(),
        }
        unavailable(outage, || admin.me(&tokens.access)).await;
        unavailable(outage, || admin.try_login(&admin.password)).await;
        let stranger = admin.edge.get("/admin/routes").send().await;
        refused(&stranger, ErrorCode::Unauthenticated);
        match outage {
            Outage::Gone => auth.start_again(),
            Outage::Frozen => auth.resume(),
        }
        heals(&format!("auth was {outage:?}"), || admin.me(&tokens.access)).await;
        heals(&format!("auth was {outage:?}"), || admin.try_login(&admin.password)).await;
    }
}

#[tokio::test]
async fn without_redis_people_go_on_and_who_was_refused_stays_refused() {
    let mut world = World::with(Stand::ThreeProcesses, &[]).await;
    let admin = Person::administrator(&world);
    let ana = Person::signed_up(&world, "ana").await;
    let left = ana.login().await;
    ana.me(&left.access).await.is(200);
    ana.post("/auth/logout", &left.access, &json!({})).await.is(200);

    for outage in [Outage::Gone, Outage::Frozen] {
        let root = admin.login().await;
        let (here, there) = (ana.login().await, ana.login().await);
        for tokens in [&here, &there] {
            ana.me(&tokens.access).await.is(200);
        }
        match outage {
            Outage::Gone => world.backends().redis.stop(),
            Outage::Frozen => world.backends().redis.pause(),
        }
        in_time(|| ana.me(&here.access)).await.is(200);
        let meanwhile = Tokens::of(in_time(|| ana.try_login(&ana.password)).await);
        in_time(|| ana.me(&meanwhile.access)).await.is(200);
        refused(&in_time(|| ana.me(&left.access)).await, ErrorCode::AuthTokenRevoked);
        refused(&in_time(|| ana.refresh(&left.refresh)).await, ErrorCode::AuthSessionRevoked);
        refused(&ana.me("no token").await, ErrorCode::AuthTokenInvalid);
        refused(
            &ana.edge.get("/admin/routes").bearer(&here.access).send().await,
            ErrorCode::PermissionDenied,
        );

        // What changes meanwhile is felt meanwhile, and afterwards.
        in_time(|| ana.post("/auth/logout", &here.access, &EMPTY)).await.is(200);
        refused(&in_time(|| ana.me(&here.access)).await, ErrorCode::AuthTokenRevoked);
        let id = ana.me(&there.access).await.expect(200).body["id"].as_str().unwrap().to_owned();
        let path = format!("/admin/users/{id}/roles");
        let roles = json!({"roles": ["USER", "WORKER"]});
        in_time(|| admin.edge.put(&path).bearer(&root.access).json(&roles).send()).await.is(200);
        refused(&in_time(|| ana.me(&there.access)).await, ErrorCode::AuthTokenStale);
        guesses_are_limited(&world).await;

        match outage {
            Outage::Gone => world.backends().redis.restart(),
            Outage::Frozen => world.backends().redis.resume(),
        }
        eventually("the gateway is ready again", HEALED, async || {
            let ready = world.operations("gateway").get("/readyz").send().await;
            (ready.status == 200).then_some(())
        })
        .await;
        for tokens in [&left, &here] {
            refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        }
        refused(&ana.me(&there.access).await, ErrorCode::AuthTokenStale);
        ana.me(&Tokens::of(ana.refresh(&there.refresh).await).access).await.is(200);
    }
}

/// A body that says nothing.
static EMPTY: LazyLock<Value> = LazyLock::new(|| json!({}));

/// Holds that a request is refused, soon, as one that may be repeated.
async fn unavailable<F: Future<Output = Reply>>(outage: Outage, ask: impl Fn() -> F) {
    let reply = in_time(ask).await;
    if outage == Outage::Frozen && reply.code() == "UPSTREAM_TIMEOUT" {
        return refused(&reply, ErrorCode::UpstreamTimeout);
    }
    refused(&reply, ErrorCode::ServiceUnavailable);
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|wait| wait > 0), "{:?}", reply.headers);
}

async fn in_time<F: Future<Output = Reply>>(ask: impl Fn() -> F) -> Reply {
    let began = Instant::now();
    let reply = ask().await;
    let took = began.elapsed();
    assert!(took <= SLOWEST, "an answer took {took:?}: {}", reply.text());
    reply
}

async fn heals<F: Future<Output = Reply>>(when: &str, ask: impl Fn() -> F) {
    eventually(when, HEALED, async || (ask().await.status == 200).then_some(())).await;
}

/// The limiter counts by itself; it does not go away.
async fn guesses_are_limited(world: &World) {
    let thief = Person { edge: world.edge.another(), ..Person::administrator(world) };
    for _ in 0..11 {
        let answer = in_time(|| thief.try_login("a wrong guess")).await;
        if answer.code() == "RATE_LIMITED" {
            return refused(&answer, ErrorCode::RateLimited);
        }
        refused(&answer, ErrorCode::AuthInvalidCredentials);
    }
    panic!("nobody counts");
}
