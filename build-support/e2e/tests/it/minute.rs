//! What takes a minute: mails that a relay refused or that died with their worker, and the end of an access
//! token. They are waited for together.

use std::time::Duration;

use proto::ErrorCode;
use serde_json::json;
use testkit::smtp::Mode;

use crate::judge::{Judge, refused};
use crate::world::{Person, Stand, Tokens, World, eventually};

const MINUTE: Duration = Duration::from_secs(90);
const SOON: Duration = Duration::from_secs(20);
const CONFIRM: &str = "Confirm your e-mail address";

#[tokio::test]
async fn in_a_minute_lost_mails_arrive_once_and_access_tokens_expire() {
    let settings = [("AUTH_ACCESS_TOKEN_TTL", "60s"), ("AUTH_TOKEN_LEEWAY", "0s")];
    let mut world = World::with(Stand::ThreeProcesses, &settings).await;
    let sink = world.backends().sink.clone();
    let admin = Person::administrator(&world);
    let tokens = admin.login().await;

    let refused_mail = Person::named(&world, "ana");
    sink.set_mode(Mode::RefuseMessage(451));
    refused_mail.register(&json!({})).await.is(202);
    sink.wait_for_attempts(1, SOON).await;
    let lost_worker = Person::named(&world, "binh");
    sink.set_mode(Mode::Hang);
    lost_worker.register(&json!({})).await.is(202);
    sink.wait_for_attempts(2, SOON).await;
    world.process_of("notify").kill();
    sink.set_mode(Mode::Accept);
    world.process_of("notify").start_again();
    world.is_ready().await;

    let others = Person::named(&world, "chi");
    others.register(&json!({})).await.is(202);
    world.mails.arrives(&others.email, CONFIRM).await;
    for person in [&refused_mail, &lost_worker] {
        world.mails.arrives_within(MINUTE, &person.email, CONFIRM).await;
    }
    world.is_drained().await;
    for person in [&refused_mail, &lost_worker, &others] {
        assert_eq!(world.mails.to(&person.email).len(), 1, "{}", person.email);
    }

    let expired = async || {
        let reply = admin.me(&tokens.access).await;
        (reply.status != 200).then_some(reply)
    };
    let reply = eventually("the access token expires", MINUTE, expired).await;
    refused(&reply, ErrorCode::AuthTokenExpired);
    admin.me(&Tokens::of(admin.refresh(&tokens.refresh).await).access).await.is(200);
}
