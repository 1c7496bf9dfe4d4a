//! Events become notifications: once, in the reader's language, whoever is away meanwhile.

use std::time::Duration;

use proto::notify::push::Told;
use uuid::Uuid;

use crate::people::{count, inbox, sync};
use crate::windows::Window;
use crate::world::{USER, World, contact, event, publish};

#[tokio::test]
async fn an_event_comes_into_the_inbox_once_in_the_readers_language() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let mut ana = contact();
        ana.locale = "vi-VN".to_owned();
        world.directory.knows(ana);
        let (notify, heir) = (world.notify("file:").await, world.notify("file:").await);
        let told = event("user.verified");
        publish(&notify, &told).await;
        assert_eq!(count(&notify).await, (0, 0), "{name}: taking waits for nobody");
        let (one, other) = (notify.compositions(), heir.compositions());
        let (one, other) = tokio::join!(one.run_once(), other.run_once());
        assert_eq!(one.unwrap() + other.unwrap(), 1, "{name}");
        assert!(publish(&notify, &told).await, "{name}");
        assert_eq!(notify.compositions().run_once().await.unwrap(), 0, "{name}");

        let items = inbox(&notify).await.items;
        assert_eq!((items.len(), items[0].seq), (1, 1), "{name}");
        assert_eq!(items[0].title, "Chào mừng bạn đến với Platform", "{name}");
        assert_eq!(items[0].r#type, "user.verified", "{name}");
    }
}

#[tokio::test]
async fn events_with_a_link_come_by_mail_only() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        for kind in ["user.registered", "auth.password-reset-requested", "user.register-repeated", "a.b"] {
            publish(&notify, &event(kind)).await;
        }
        assert_eq!(notify.compositions().run_once().await.unwrap(), 0, "{name}");
        for kind in ["auth.password-changed", "security.token-reused", "auth.session-limit-reached"] {
            publish(&notify, &event(kind)).await;
        }
        assert_eq!(notify.compositions().run_once().await.unwrap(), 3, "{name}");
        assert_eq!(count(&notify).await, (3, 3), "{name}");
    }
}

#[tokio::test]
async fn while_auth_is_away_events_are_taken_and_wait() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        world.road.cut();
        publish(&notify, &event("user.verified")).await;
        let worker = notify.compositions();
        for _ in 0..6 {
            worker.run_once().await.unwrap();
            world.clock.advance(Duration::from_mins(1));
        }
        assert_eq!(count(&notify).await, (0, 0), "{name}");

        world.road.resume();
        // The channel may still be waiting before it dials again.
        let healed = async {
            while count(&notify).await != (1, 1) {
                world.clock.advance(Duration::from_mins(1));
                worker.run_once().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), healed).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_gone_or_belongs_elsewhere_gets_no_notification() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let mut gone = event("user.verified");
        gone.user_ids = vec![Uuid::from_u128(404).to_string()];
        publish(&notify, &gone).await;
        let mut elsewhere = event("user.verified");
        elsewhere.tenant_id = Uuid::from_u128(9).to_string();
        publish(&notify, &elsewhere).await;
        assert_eq!(notify.compositions().run_once().await.unwrap(), 2, "{name}");
        assert_eq!(notify.compositions().run_once().await.unwrap(), 0, "{name}: that was the end of it");
        assert!(world.select("SELECT title FROM notification").await.is_empty(), "{name}");
    }
}

/// What is dropped between its commit and its hint ends as abruptly as what is killed there.
#[tokio::test]
async fn a_notification_whose_hint_was_never_given_is_found_by_whoever_asks() {
    for (name, database) in testkit::databases() {
        let mut world = World::new(&database).await;
        let mut window = Window::open(&world.fanout, USER).await;
        // Its hints go where nobody listens.
        let everybody = std::mem::replace(&mut world.fanout, chassis::Fanout::memory());
        let killed = world.notify("file:").await;
        publish(&killed, &event("user.verified")).await;
        killed.compositions().run_once().await.unwrap();
        drop(killed);

        world.fanout = everybody;
        let heir = world.notify("file:").await;
        assert_eq!(heir.compositions().run_once().await.unwrap(), 0, "{name}: it is done");
        let missed = sync(&heir, Some(0)).await;
        assert_eq!((missed.missed.len(), missed.unread_count, missed.revision), (1, 1, 1), "{name}");
        publish(&heir, &event("auth.password-changed")).await;
        heir.compositions().run_once().await.unwrap();
        let Some(Told::Came(came)) = window.next().await.told else { panic!("{name}: it came") };
        assert_eq!((came.notification.unwrap().seq, came.revision), (2, 2), "{name}: the gap shows");
    }
}
