//! What goes wrong on the way out, and what becomes of the mail.

use std::time::Duration;

use testkit::smtp::{Mode, Sink};

use crate::world::{World, contact, event, publish, secret};

const MINUTE: Duration = Duration::from_mins(1);

/// The pauses of the schedule with their jitter at its longest.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(66), Duration::from_secs(330), Duration::from_secs(990), Duration::from_mins(66)];

#[tokio::test]
async fn a_refused_recipient_bounces_and_is_not_tried_again() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        sink.set_mode(Mode::RefuseRecipient(550));
        let notify = world.notify(&sink.plain_url()).await;
        publish(&notify, &event("user.verified")).await;
        let worker = notify.deliveries();
        worker.run_once().await.unwrap();
        assert_eq!(world.status().await, "bounced", "{name}");

        sink.set_mode(Mode::Accept);
        world.clock.advance(MINUTE * 100);
        assert_eq!(worker.run_once().await.unwrap(), 0, "{name}");
        assert!(sink.messages().is_empty(), "{name}");

        // The same connection serves the next mail.
        publish(&notify, &event("user.verified")).await;
        worker.run_once().await.unwrap();
        assert_eq!(sink.messages().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_refused_message_is_dead_at_once() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        sink.set_mode(Mode::RefuseMessage(554));
        let notify = world.notify(&sink.plain_url()).await;
        publish(&notify, &event("user.verified")).await;
        notify.deliveries().run_once().await.unwrap();
        assert_eq!(
            (world.status().await, world.outcomes().await),
            ("dead".into(), vec!["refused".into()]),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_relay_that_says_later_is_asked_again_on_schedule_and_in_the_end_given_up() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        sink.set_mode(Mode::RefuseRecipient(451));
        let notify = world.notify(&sink.plain_url()).await;
        publish(&notify, &event("user.verified")).await;
        let worker = notify.deliveries();
        worker.run_once().await.unwrap();
        for pause in PAUSES {
            assert_eq!(world.status().await, "pending", "{name}");
            world.clock.advance(pause * 8 / 10);
            assert_eq!(worker.run_once().await.unwrap(), 0, "{name}: not before its time");
            world.clock.advance(pause * 2 / 10);
            assert_eq!(worker.run_once().await.unwrap(), 1, "{name}");
        }
        assert_eq!(world.status().await, "dead", "{name}");
        assert_eq!(world.outcomes().await, vec!["deferred"; 5], "{name}");
        world.clock.advance(MINUTE * 1000);
        assert_eq!(worker.run_once().await.unwrap(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_sent_again_as_the_same_mail() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        sink.set_mode(Mode::CutAfterData);
        let notify = world.notify(&sink.plain_url()).await;
        publish(&notify, &event("user.verified")).await;
        let worker = notify.deliveries();
        worker.run_once().await.unwrap();
        assert_eq!(world.status().await, "pending", "{name}");

        sink.set_mode(Mode::Accept);
        world.clock.advance(PAUSES[0]);
        worker.run_once().await.unwrap();
        let ids: Vec<String> = sink.messages().iter().map(|mail| mail.mail().message_id).collect();
        assert_eq!(ids.len(), 2, "{name}");
        assert_eq!(ids[0], ids[1], "{name}");
        assert_eq!(world.outcomes().await, ["unknown", "sent"], "{name}");
    }
}

#[tokio::test]
async fn a_relay_that_never_speaks_costs_twenty_seconds_and_a_retry() {
    let database = testkit::Database::sqlite();
    let (world, sink) = (World::new(&database).await, Sink::start().await);
    sink.set_mode(Mode::Hang);
    let notify = world.notify(&sink.plain_url()).await;
    publish(&notify, &event("user.verified")).await;
    let begun = std::time::Instant::now();
    notify.deliveries().run_once().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert_eq!((world.status().await, world.outcomes().await), ("pending".into(), vec!["deferred".into()]));
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_no_attempt() {
    let database = testkit::Database::sqlite();
    let (world, sink) = (World::new(&database).await, Sink::start().await);
    let road = testkit::proxy::Proxy::start(sink.address().to_string()).await;
    let notify = world.notify(&format!("smtp://{}?tls=none", road.address())).await;
    publish(&notify, &event("user.verified")).await;
    notify.deliveries().run_once().await.unwrap();

    road.cut();
    road.resume();
    publish(&notify, &event("user.verified")).await;
    notify.deliveries().run_once().await.unwrap();
    assert_eq!(sink.messages().len(), 2);
    assert_eq!(world.outcomes().await, ["sent", "sent"]);
}

#[tokio::test]
async fn while_the_directory_is_away_mails_wait() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let notify = world.notify(&sink.plain_url()).await;
        world.road.cut();
        assert!(
            !publish(&notify, &event("user.verified")).await,
            "{name}: taking an event needs no directory"
        );
        let worker = notify.deliveries();
        worker.run_once().await.unwrap();
        assert_eq!(
            (world.status().await, world.outcomes().await),
            ("pending".into(), vec!["deferred".into()]),
            "{name}"
        );

        world.road.resume();
        world.clock.advance(PAUSES[0]);
        worker.run_once().await.unwrap();
        assert_eq!((world.status().await, sink.messages().len()), ("sent".into(), 1), "{name}");
    }
}

#[tokio::test]
async fn a_link_that_no_longer_works_is_not_sent() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let notify = world.notify(&sink.plain_url()).await;
        let mut told = event("auth.password-reset-requested");
        told.secret_reference = Some("used".to_owned());
        publish(&notify, &told).await;
        notify.deliveries().run_once().await.unwrap();
        assert_eq!(
            (world.status().await, world.outcomes().await),
            ("cancelled".into(), vec!["cancelled".into()]),
            "{name}"
        );
        assert!(sink.messages().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn who_is_gone_has_no_address_or_belongs_elsewhere_gets_nothing() {
    let database = testkit::Database::sqlite();
    let (world, sink) = (World::new(&database).await, Sink::start().await);
    let notify = world.notify(&sink.plain_url()).await;
    let mut told = event("user.verified");
    told.tenant_id = uuid::Uuid::from_u128(9).to_string();
    publish(&notify, &told).await;
    let mut told = event("user.verified");
    told.user_ids = vec![uuid::Uuid::from_u128(9).to_string()];
    publish(&notify, &told).await;
    notify.deliveries().run_once().await.unwrap();
    let mut nowhere = contact();
    nowhere.email = None;
    world.directory.knows(nowhere);
    publish(&notify, &event("user.verified")).await;
    notify.deliveries().run_once().await.unwrap();
    assert_eq!(world.outcomes().await, vec!["cancelled"; 3]);
    assert!(sink.messages().is_empty());
}

#[tokio::test]
async fn a_template_that_lacks_what_it_speaks_of_is_a_dead_letter_that_says_so() {
    let database = testkit::Database::sqlite();
    let (world, sink) = (World::new(&database).await, Sink::start().await);
    let notify = world.notify(&sink.plain_url()).await;
    publish(&notify, &event("user.registered")).await;
    notify.deliveries().run_once().await.unwrap();
    assert_eq!(world.status().await, "dead");
    let why = world.select("SELECT detail FROM attempt").await.concat();
    assert!(why.contains("user.registered/en.txt"), "{why}");
    assert!(sink.messages().is_empty());
}

#[tokio::test]
async fn a_relay_without_starttls_gets_nothing_and_one_with_it_gets_the_mail_encrypted() {
    let database = testkit::Database::sqlite();
    let world = World::new(&database).await;
    let (stripped, honest) = (Sink::start().await, Sink::start_tls().await);
    let root = world.data.path().join("root.pem");
    std::fs::write(&root, honest.root()).unwrap();
    let trusted = [("SSL_CERT_FILE", root.to_str().unwrap())];
    world.directory.keeps_secret("link-1", secret());

    let notify = world.notify_with(&stripped.tls_url(), &trusted).await;
    publish(&notify, &event("user.verified")).await;
    notify.deliveries().run_once().await.unwrap();
    assert!(stripped.messages().is_empty());
    assert_eq!(world.outcomes().await, ["deferred"]);
    world.clock.advance(PAUSES[0]);

    let strangers = world.notify(&honest.tls_url()).await;
    strangers.deliveries().run_once().await.unwrap();
    assert!(honest.messages().is_empty(), "an unknown authority vouches for nobody");
    world.clock.advance(PAUSES[1]);

    let url = honest.tls_url().replace("smtp://", "smtp://ana:p%40ss@");
    let notify = world.notify_with(&url, &trusted).await;
    notify.deliveries().run_once().await.unwrap();
    assert_eq!(world.status().await, "sent");
    assert!(honest.messages()[0].encrypted);
}
