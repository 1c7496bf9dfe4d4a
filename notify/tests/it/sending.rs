//! What administrators tell people: whom it reaches, in whose words, and once however often it is asked.

use std::time::Duration;

use proto::auth::Contact;
use proto::notify::SendNotificationRequest;
use proto::notify::broadcast_service_server::BroadcastService;
use proto::{ErrorCode, ServiceError};
use testkit::smtp::Sink;
use uuid::Uuid;

use crate::people::{ADMIN, by_caller, code, count, inbox, news, send};
use crate::world::{TENANT, USER, World, contact};

const KEY: &str = "0123456789abcdef";

fn keyed(key: &str) -> SendNotificationRequest {
    SendNotificationRequest { idempotency_key: Some(key.to_owned()), ..news() }
}

#[tokio::test]
async fn it_reaches_every_known_user_of_the_tenant_once_and_nobody_else() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let mut stranger = contact();
        stranger.user_id = Uuid::from_u128(8).to_string();
        stranger.tenant_id = Uuid::from_u128(9).to_string();
        world.directory.knows(stranger.clone());

        let mut request = news();
        request.user_ids.extend([USER.to_string(), stranger.user_id, Uuid::from_u128(404).to_string()]);
        assert_eq!(send(&notify, request).await.unwrap().accepted, 1, "{name}");
        assert_eq!(world.select("SELECT title FROM notification").await.len(), 1, "{name}");
        assert!(world.select("SELECT status FROM delivery").await.is_empty(), "{name}: the inbox only");
        assert_eq!(count(&notify).await.0, 1, "{name}");
    }
}

#[tokio::test]
async fn two_sendings_to_five_hundred_users_at_once_wait_for_each_other_and_both_arrive() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let (one, other) = (world.notify("file:").await, world.notify("file:").await);
        let users: Vec<String> = (1..=500).map(|n| Uuid::from_u128(n << 64).to_string()).collect();
        for user_id in &users {
            world.directory.knows(Contact { user_id: user_id.clone(), ..contact() });
        }
        let forward = SendNotificationRequest { user_ids: users.clone(), ..news() };
        let backward = SendNotificationRequest { user_ids: users.into_iter().rev().collect(), ..news() };
        let (forward, backward) = tokio::join!(send(&one, forward), send(&other, backward));
        assert_eq!((forward.unwrap().accepted, backward.unwrap().accepted), (500, 500), "{name}");
        let standings = "SELECT CAST(count(*) AS text) FROM inbox WHERE seq = 2 AND unread_count = 2";
        assert_eq!(world.select(standings).await, ["500"], "{name}");
    }
}

#[tokio::test]
async fn a_key_has_one_effect_for_a_day_and_belongs_to_its_sender() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let first = send(&notify, keyed(KEY)).await.unwrap();
        world.clock.advance(Duration::from_hours(23));
        let again = world.notify("file:").await;
        assert_eq!(send(&again, keyed(KEY)).await.unwrap(), first, "{name}: the same answer");
        assert_eq!(count(&notify).await.0, 1, "{name}");

        let other = SendNotificationRequest { title: Some("Something else".to_owned()), ..keyed(KEY) };
        let refused = send(&notify, other).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::IdempotencyKeyReused, "{name}");

        for (user, tenant) in [(Uuid::from_u128(5), TENANT), (ADMIN, Uuid::from_u128(5))] {
            let request = by_caller(user, tenant, keyed(KEY));
            let sent = notify.broadcasts().send_notification(request).await.unwrap().into_inner();
            assert_ne!(sent.id, first.id, "{name}: another's key is another key");
        }
        world.clock.advance(Duration::from_hours(1));
        assert_ne!(send(&notify, keyed(KEY)).await.unwrap().id, first.id, "{name}: a day later it is new");
    }
}

#[tokio::test]
async fn of_many_with_one_key_at_once_one_has_an_effect_and_all_have_its_answer() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let (one, other) = (world.notify("file:").await, world.notify("file:").await);
        let sending = (0..8).map(|n| send(if n % 2 == 0 { &one } else { &other }, keyed(KEY)));
        let answers = futures::future::join_all(sending).await;
        let ids: Vec<String> = answers.into_iter().map(|answer| answer.unwrap().id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{name}: {ids:?}");
        assert_eq!(count(&one).await, (1, 1), "{name}");
    }
}

#[tokio::test]
async fn a_template_finds_the_words_and_where_there_is_none_a_title_is_needed() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let mut ana = contact();
        ana.locale = "vi-VN".to_owned();
        world.directory.knows(ana);
        let notify = world.notify(&sink.plain_url()).await;

        let request = SendNotificationRequest { title: None, body: None, ..news() };
        let refused = ServiceError::from_status(&send(&notify, request.clone()).await.unwrap_err());
        assert_eq!(refused.code(), ErrorCode::ValidationError, "{name}");
        assert_eq!(refused.violations()[0].field, "title", "{name}");

        let written = SendNotificationRequest { r#type: "user.verified".to_owned(), ..request };
        send(&notify, written).await.unwrap();
        assert_eq!(inbox(&notify).await.items[0].title, "Chào mừng bạn đến với Platform", "{name}");
        notify.deliveries().run_once().await.unwrap();
        assert_eq!(sink.messages().len(), 1, "{name}: it goes by mail as well");

        let secret = SendNotificationRequest { r#type: "user.registered".to_owned(), ..news() };
        send(&notify, secret).await.unwrap();
        assert_eq!(inbox(&notify).await.items[0].title, "It is on its way", "{name}");
        assert_eq!(notify.deliveries().run_once().await.unwrap(), 0, "{name}: a link cannot be made up");
    }
}

#[tokio::test]
async fn hostile_words_are_stored_as_they_can_be_shown_and_never_a_fault_of_ours() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let mut request = news();
        request.title = Some("a\u{0}b\r\nc".to_owned());
        request.body = Some("\u{0}<script>\n\u{7}.".to_owned());
        let with = |text: &str| {
            let kind = prost_types::value::Kind::StringValue(text.to_owned());
            let fields = [("x".to_owned(), prost_types::Value { kind: Some(kind) })].into();
            Some(prost_types::Struct { fields })
        };
        // Six harmless characters that look like an escape.
        request.data = with("\\u0000");
        send(&notify, request.clone()).await.unwrap();
        let stored = inbox(&notify).await.items[0].clone();
        assert_eq!((stored.title.as_str(), stored.body.as_str()), ("a b c", " <script>\n ."), "{name}");
        assert_eq!(stored.data, request.data, "{name}");

        request.data = with("\u{0}");
        let refused = ServiceError::from_status(&send(&notify, request).await.unwrap_err());
        assert_eq!(refused.violations()[0].field, "data", "{name}");
    }
}

#[tokio::test]
async fn without_auth_nothing_is_sent_and_the_key_stays_free() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        world.road.cut();
        let refused = send(&notify, keyed(KEY)).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::ServiceUnavailable, "{name}");
        assert_eq!(count(&notify).await, (0, 0), "{name}");
    }
}
