//! Open windows: what they are told over the fan-out, whatever becomes of it.

use std::time::{Duration, Instant};

use chassis::Fanout;
use chassis::fanout::{Received, Subscription};
use prost::Message as _;
use proto::notify::Push;
use proto::notify::push::Told;
use testkit::nats::Nats;
use uuid::Uuid;

use crate::people::{count, inbox, news, read, read_all, send, sync};
use crate::world::{USER, World, event, publish};

const SOON: Duration = Duration::from_secs(20);

/// One that is open, as a gateway knows it.
pub(crate) struct Window(Subscription);

impl Window {
    pub(crate) async fn open(fanout: &Fanout, user_id: Uuid) -> Window {
        Window(fanout.subscribe(&proto::fanout::user_subject(user_id)).await.unwrap())
    }

    pub(crate) async fn next(&mut self) -> Push {
        let received = tokio::time::timeout(SOON, self.0.next()).await.unwrap().unwrap();
        let message = match received {
            Received::Message(message) => Some(message),
            Received::Lagged => None,
        };
        Push::decode(message.unwrap()).unwrap()
    }
}

#[tokio::test]
async fn every_change_is_told_with_the_absolute_count_and_the_revision() {
    for (name, database) in testkit::databases() {
        let nats = Nats::start();
        let mut world = World::new(&database).await;
        for fanout in [Fanout::memory(), Fanout::connect(&nats.url().into(), None).await.unwrap()] {
            world.fanout = fanout;
            let mut window = Window::open(&world.fanout, USER).await;
            let notify = world.notify("file:").await;
            let (unread, revision) = count(&notify).await;
            send(&notify, news()).await.unwrap();
            let Some(Told::Came(came)) = window.next().await.told else { panic!("{name}: it came") };
            assert_eq!((came.unread_count, came.revision), (unread + 1, revision + 1), "{name}");
            let first = came.notification.unwrap();
            assert_eq!(first.title, "It is on its way", "{name}");
            send(&notify, news()).await.unwrap();
            window.next().await;

            read(&notify, &first.id).await.unwrap();
            read(&notify, &first.id).await.unwrap();
            let Some(Told::Read(one)) = window.next().await.told else { panic!("{name}: one was read") };
            assert_eq!(
                (one.ids, one.up_to_seq, one.unread_count),
                (vec![first.id], None, unread + 1),
                "{name}"
            );
            read_all(&notify).await;
            let Some(Told::Read(all)) = window.next().await.told else { panic!("{name}: all were read") };
            let expected = (0, Some(first.seq + 1), revision + 4);
            assert_eq!((all.unread_count, all.up_to_seq, all.revision), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn identity_events_reach_windows_and_nothing_else() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let mut window = Window::open(&world.fanout, USER).await;
        let notify = world.notify("file:").await;
        let text = |text: &str| prost_types::value::Kind::StringValue(text.to_owned());
        let list = |text_: &str| {
            let values = vec![prost_types::Value { kind: Some(text(text_)) }];
            prost_types::value::Kind::ListValue(prost_types::ListValue { values })
        };
        let told = |kind: &str, fields: Vec<(&str, prost_types::value::Kind)>| {
            let field = |(name, kind): (&str, _)| (name.to_owned(), prost_types::Value { kind: Some(kind) });
            let fields = fields.into_iter().map(field).collect();
            proto::notify::Event { data: Some(prost_types::Struct { fields }), ..event(kind) }
        };
        let facts = vec![("sessionId", text("s1")), ("status", text("revoked")), ("reason", text("logout"))];
        let ended = told("user.session-changed", facts);
        assert!(!publish(&notify, &ended).await, "{name}");
        assert!(publish(&notify, &ended).await, "{name}: told twice, once in effect");
        let rights = vec![("roles", list("USER")), ("permissions", list("a:b"))];
        publish(&notify, &told("user.permissions-changed", rights)).await;
        publish(&notify, &told("user.profile-changed", vec![("fields", list("locale"))])).await;

        let mut pushed = Vec::new();
        for _ in 0..3 {
            pushed.push(format!("{:?}", window.next().await.told.unwrap()));
        }
        pushed.sort();
        insta::allow_duplicates! {
            insta::assert_snapshot!(pushed.join("\n"), @r#"
            Permissions(PermissionsChanged { roles: ["USER"], permissions: ["a:b"] })
            Profile(ProfileChanged { fields: ["locale"] })
            Session(SessionChanged { session_id: "s1", status: "revoked", reason: "logout" })
            "#);
        }
        assert_eq!(notify.compositions().run_once().await.unwrap(), 0, "{name}");
        assert_eq!(notify.deliveries().run_once().await.unwrap(), 0, "{name}");
        assert_eq!(count(&notify).await, (0, 0), "{name}");
    }
}

#[tokio::test]
async fn without_the_broker_nothing_waits_nothing_fails_and_nothing_is_lost() {
    let database = testkit::Database::sqlite();
    let mut nats = Nats::start();
    let mut world = World::new(&database).await;
    world.fanout = Fanout::connect(&nats.url().into(), None).await.unwrap();
    let gateway = Fanout::connect(&nats.url().into(), None).await.unwrap();
    let mut window = Window::open(&gateway, USER).await;
    let mut losses = gateway.connection_losses();
    losses.mark_unchanged();
    let notify = world.notify("file:").await;
    send(&notify, news()).await.unwrap();
    window.next().await;

    nats.stop();
    let begun = Instant::now();
    for _ in 0..20 {
        send(&notify, news()).await.unwrap();
    }
    read_all(&notify).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    // What the server kept was in its memory: the stream is gone with it.
    nats.restart();
    tokio::time::timeout(SOON, losses.changed()).await.unwrap().unwrap();
    let missed = sync(&notify, Some(1)).await;
    assert_eq!((missed.missed.len(), missed.seq, missed.unread_count, missed.revision), (20, 21, 0, 22));
    while world.fanout.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    send(&notify, news()).await.unwrap();
    let Some(Told::Came(came)) = window.next().await.told else { panic!("it came") };
    assert_eq!((came.notification.unwrap().seq, came.unread_count, came.revision), (22, 1, 23));
}

#[tokio::test]
async fn a_frozen_broker_holds_no_call_up() {
    let database = testkit::Database::sqlite();
    let nats = Nats::start();
    let mut world = World::new(&database).await;
    world.fanout = Fanout::connect(&nats.url().into(), None).await.unwrap();
    let notify = world.notify("file:").await;
    nats.pause();
    let begun = Instant::now();
    for _ in 0..20 {
        send(&notify, news()).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    nats.resume();
    assert_eq!(inbox(&notify).await.items.len(), 20);
}
