//! A person's windows: what happens is told to all of them at once, each once and in order.

mod faults;
mod reader;
mod refusals;

use std::time::Duration;

use futures::future::join_all;
use proto::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::judge::{Judge, refused};
use crate::world::{Tokens, Window, World};
use reader::{Reader, Sender, note, titles};

/// How soon the end of a session is felt.
const ENDED: Duration = Duration::from_secs(1);

everywhere!(
    a_person_is_told_all_day,
    a_person_learns_what_changes_about_them,
    the_same_sending_twice_is_one,
    an_edge_that_ends_sends_its_windows_elsewhere,
);

async fn a_person_is_told_all_day(world: &World) {
    let sender = Sender::signed_in(world).await;
    let mut ana = Reader::signed_in(world, "ana").await;
    let (mut here, mut there) = (ana.window(world).await, ana.window(world).await);
    let welcome = ana.is_welcomed().await;
    assert_eq!((&welcome["type"], &welcome["seq"]), (&json!("user.verified"), &json!(1)), "{welcome}");
    for window in [&mut here, &mut there] {
        window.reaches(1).await;
        assert_eq!(window.unread, 1);
    }

    one_is_told_and_read(&sender, &ana, &mut here, &mut there).await;
    two_are_missed(&sender, &ana, &mut here, &mut there).await;

    ana.tokens = Tokens::of(ana.person.refresh(&ana.tokens.refresh).await);
    let renewed = here.renews(&ana.tokens.access).await;
    assert_eq!((&renewed["userId"], &renewed["seq"]), (&json!(ana.id), &json!(4)), "{renewed}");
    assert!(renewed["tokenExpiresAt"].is_string(), "{renewed}");
    its_sessions_end(world, &mut ana, &mut here, &mut there).await;
}

async fn one_is_told_and_read(sender: &Sender, ana: &Reader, here: &mut Window, there: &mut Window) {
    let sent = sender.tell(ana, "Dinner is ready").await.expect(202);
    let id = sent.body["id"].as_str().unwrap_or_default();
    assert!(Uuid::parse_str(id).is_ok(), "{}", sent.text());
    assert_eq!(sent.body, json!({"id": id, "accepted": 1}));

    let dinner = here.is_told().await;
    assert_eq!(there.is_told().await, dinner);
    for (field, value) in [
        ("seq", json!(2)),
        ("unreadCount", json!(2)),
        ("type", json!("kitchen.news")),
        ("title", json!("Dinner is ready")),
        ("body", json!("Come to the table.")),
        ("data", json!({"table": 7})),
    ] {
        assert_eq!(dinner[field], value, "{dinner}");
    }
    assert_eq!(ana.list().await[0]["id"], dinner["id"]);
    assert_eq!(ana.unread_count().await, here.counts());

    here.does("notification:read", json!({"id": dinner["id"]})).await;
    let learned = there.learns("notification:read").await;
    assert_eq!((&learned["ids"], &learned["unreadCount"]), (&json!([dinner["id"]]), &json!(1)), "{learned}");
    assert_eq!(here.learns("notification:read").await, learned);
    for window in [&here, &there] {
        assert_eq!(window.counts(), json!({"count": 1, "revision": learned["revision"]}));
    }
    assert_eq!(ana.unread_count().await, here.counts());
    let listed = ana.list().await;
    assert!(listed[0]["readAt"].is_string() && listed[1]["readAt"].is_null(), "{listed:?}");
    // Reading it again changes nothing.
    there.does("notification:read", json!({"id": dinner["id"]})).await;
    assert_eq!(ana.unread_count().await, there.counts());
}

async fn two_are_missed(sender: &Sender, ana: &Reader, here: &mut Window, there: &mut Window) {
    let shown = there.shown.len();
    there.leave().await;
    let missed = ["Dinner is getting cold", "Dinner is over"];
    for title in missed {
        sender.tell(ana, title).await.is(202);
        assert_eq!(here.is_told().await["title"], title);
    }
    there.open_again().await;
    there.takes_in_all().await;
    assert_eq!(titles(&there.shown[shown..]), missed);
    assert_eq!(there.counts(), here.counts());

    there.does("notification:read-all", Value::Null).await;
    let learned = here.learns("notification:read").await;
    assert_eq!((&learned["upToSeq"], &learned["unreadCount"]), (&json!(4), &json!(0)), "{learned}");
    there.takes_in_all().await;
    assert_eq!(ana.unread_count().await, here.counts());
    assert_eq!(there.counts(), here.counts());
}

async fn its_sessions_end(world: &World, ana: &mut Reader, here: &mut Window, there: &mut Window) {
    let new = "something else entirely";
    let change = json!({"currentPassword": ana.person.password, "newPassword": new});
    let changed = ana.person.post("/auth/change-password", &ana.tokens.access, &change).await;
    let codes = tokio::join!(here.closes(ENDED), there.closes(ENDED));
    assert_eq!(codes, (4401, 4401));

    ana.tokens = Tokens::of(changed);
    let mut kept = ana.window(world).await;
    kept.reaches(5).await;
    assert_eq!(ana.list().await[0]["type"], "auth.password-changed");
    let elsewhere = Tokens::of(ana.person.try_login(new).await);
    let mut left = Window::open(&world.edge_address(), &elsewhere.access).await;
    ana.person.post("/auth/logout", &elsewhere.access, &json!({})).await.is(200);
    assert_eq!(left.closes(ENDED).await, 4401);
    kept.takes_in_all().await;
    assert_eq!(ana.unread_count().await, kept.counts());
}

async fn a_person_learns_what_changes_about_them(world: &World) {
    let sender = Sender::signed_in(world).await;
    let ana = Reader::settled(world, "ana").await;
    let mut window = ana.window(world).await;

    let profile = json!({"displayName": "Ana Trần"});
    ana.person.edge.patch("/me").bearer(&ana.tokens.access).json(profile).send().await.is(200);
    assert_eq!(window.learns("user:profile").await, json!({"fields": ["displayName"]}));

    let elsewhere = ana.person.login().await;
    let session = crate::sessions::claims(&elsewhere.access)["sid"].clone();
    ana.person.post("/auth/logout", &elsewhere.access, &json!({})).await.is(200);
    let ended = json!({"sessionId": session, "status": "revoked", "reason": "logout"});
    assert_eq!(window.learns("user:session").await, ended);

    let (path, roles) = (format!("/admin/users/{}/roles", ana.id), json!({"roles": ["USER", "WORKER"]}));
    sender.person.edge.put(&path).bearer(&sender.tokens.access).json(roles).send().await.is(200);
    assert_eq!(window.learns("user:permissions").await["roles"], json!(["USER", "WORKER"]));
    // The socket stays, and tells what comes.
    sender.tell(&ana, "You may work now").await.is(202);
    assert_eq!(window.is_told().await["title"], "You may work now");
    let fresh = Tokens::of(ana.person.refresh(&ana.tokens.refresh).await);
    window.renews(&fresh.access).await;
    window.does("notification:read-all", Value::Null).await;
}

async fn the_same_sending_twice_is_one(world: &World) {
    let sender = Sender::signed_in(world).await;
    let (ana, binh) = (Reader::settled(world, "ana").await, Reader::settled(world, "binh").await);
    let mut window = ana.window(world).await;
    let keyed = |title: &str, key: &str| {
        let mut note = note(&ana, title);
        note["idempotencyKey"] = json!(key);
        note
    };
    let once = keyed("Only once", "the-kitchens-first-word");
    let first = sender.send(&once).await.expect(202);
    assert_eq!(sender.send(&once).await.expect(202).body, first.body);
    let other = keyed("Something else", "the-kitchens-first-word");
    refused(&sender.send(&other).await, ErrorCode::IdempotencyKeyReused);

    let at_once = keyed("Only one of five", "the-kitchens-second-word");
    let answers = join_all((0..5).map(|_| sender.send(&at_once))).await;
    let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect(202).body).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");

    // What is sent later is told later: had there been more, the window would have been told.
    let mut to_both = note(&ana, "The last");
    to_both["userIds"] = json!([binh.id, ana.id, binh.id, Uuid::nil()]);
    assert_eq!(sender.send(&to_both).await.expect(202).body["accepted"], 2);
    window.reaches(4).await;
    assert_eq!(titles(&window.shown), ["Only once", "Only one of five", "The last"]);
    assert_eq!(ana.unread_count().await, window.counts());
    assert_eq!(titles(&binh.list().await), ["The last", "Welcome to Platform"]);
}

async fn an_edge_that_ends_sends_its_windows_elsewhere(world: &World) {
    let ana = Reader::settled(world, "ana").await;
    let mut window = ana.window(world).await;
    let gateway = world.process_of("gateway");
    gateway.terminate();
    assert_eq!(window.closes(Duration::from_secs(15)).await, 1012);
    let status = gateway.ends(Duration::from_secs(30)).await;
    assert!(status.success(), "{status}: {}", gateway.last_words());
}
