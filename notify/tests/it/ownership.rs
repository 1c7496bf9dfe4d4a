//! Several workers, several processes: a delivery belongs to one of them at a time.

use std::time::Duration;

use testkit::proxy::Proxy;
use testkit::smtp::Sink;

use crate::world::{World, event, publish};

const LEASE: Duration = Duration::from_secs(61);

#[tokio::test]
async fn a_worker_that_was_overtaken_changes_nothing() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let road = Proxy::start(sink.address().to_string()).await;
        let slow = world.notify(&format!("smtp://{}?tls=none", road.address())).await;
        let swift = world.notify(&sink.plain_url()).await;
        publish(&slow, &event("user.verified")).await;

        road.pause();
        let worker = slow.deliveries();
        let stale = async {
            worker.run_once().await.unwrap();
        };
        let overtake = async {
            world.until_claimed().await;
            assert_eq!(swift.deliveries().run_once().await.unwrap(), 0, "{name}: it is leased");
            world.clock.advance(LEASE);
            assert_eq!(swift.deliveries().run_once().await.unwrap(), 1, "{name}: it is taken over");
            assert_eq!(world.status().await, "sent", "{name}");
            road.cut();
        };
        tokio::join!(stale, overtake);

        assert_eq!(
            (world.status().await, world.outcomes().await),
            ("sent".into(), vec!["sent".into()]),
            "{name}"
        );
        assert_eq!(sink.messages().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_a_killed_worker_had_begun_is_taken_over_when_its_lease_ends() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let road = Proxy::start(sink.address().to_string()).await;
        road.pause();
        let killed = world.notify(&format!("smtp://{}?tls=none", road.address())).await;
        publish(&killed, &event("user.verified")).await;
        // What is dropped in the middle of a run ends as abruptly as what is killed.
        tokio::select! {
            _ = async { killed.deliveries().run_once().await } => panic!("{name}: the relay says nothing"),
            () = world.until_claimed() => {}
        }

        let heir = world.notify(&sink.plain_url()).await;
        assert_eq!(heir.deliveries().run_once().await.unwrap(), 0, "{name}");
        world.clock.advance(LEASE);
        assert_eq!(heir.deliveries().run_once().await.unwrap(), 1, "{name}");
        assert_eq!((world.status().await, sink.messages().len()), ("sent".into(), 1), "{name}");
    }
}

#[tokio::test]
async fn many_workers_send_every_mail_once() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let (one, other) = (world.notify(&sink.plain_url()).await, world.notify(&sink.plain_url()).await);
        for _ in 0..40 {
            publish(&one, &event("user.verified")).await;
        }
        let drain = async |worker: notify::Deliveries| while worker.run_once().await.unwrap() > 0 {};
        tokio::join!(
            drain(one.deliveries()),
            drain(one.deliveries()),
            drain(other.deliveries()),
            drain(other.deliveries())
        );
        let mut ids: Vec<String> = sink.messages().iter().map(|mail| mail.mail().message_id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), sink.messages().len()), (40, 40), "{name}");
        assert_eq!(world.outcomes().await, vec!["sent"; 40], "{name}");
    }
}
