//! One suite for both fan-outs: what holds on one holds on the other.

use std::time::Duration;

use bytes::Bytes;
use chassis::fanout::{Received, Subscription};
use chassis::{Clock, Fanout, Ids};
use testkit::nats::Nats;

const KEPT: Duration = Duration::from_mins(2);
const SOON: Duration = Duration::from_secs(10);

/// How many messages wait for a reader before it lags.
const WAITING_MAX: usize = 256;

/// A fan-out as two processes see it: two connections to one broker, or the same one twice.
struct World {
    here: Fanout,
    there: Fanout,
    _nats: Option<Nats>,
}

impl World {
    async fn both() -> [World; 2] {
        let memory = Fanout::memory();
        let nats = Nats::start();
        let connect = async || Fanout::connect(&nats.url().into(), None).await.unwrap();
        let worlds = [
            World { here: memory.clone(), there: memory, _nats: None },
            World { here: connect().await, there: connect().await, _nats: None },
        ];
        for world in &worlds {
            world.here.ensure_stream("TEST", "test.*", KEPT).await.unwrap();
        }
        let [memory, shared] = worlds;
        [memory, World { _nats: Some(nats), ..shared }]
    }

    async fn publish(&self, subject: &str, text: &str) {
        let id = Ids::random().uuid(Clock::system().now()).to_string();
        self.here.publish(subject, &id, Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
    }
}

async fn next(subscription: &mut Subscription) -> Received {
    tokio::time::timeout(SOON, subscription.next()).await.unwrap().unwrap()
}

fn message(text: &str) -> Received {
    Received::Message(Bytes::copy_from_slice(text.as_bytes()))
}

/// Runs one story on each fan-out.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $story() {
            for world in World::both().await {
                stories::$story(&world).await;
            }
        }
    )+};
}

on_both!(
    a_message_reaches_every_subscription_of_its_subject_and_no_other,
    messages_of_one_publisher_come_in_their_order,
    what_is_published_once_a_subscription_returned_arrives,
    a_subscription_begins_with_what_comes_and_not_with_what_was,
    who_does_not_read_holds_nobody_up_and_is_told_that_it_lagged,
    who_keeps_up_is_not_told_that_it_lagged,
    a_dropped_subscription_holds_nobody_up,
    a_message_published_again_is_no_error,
    a_subject_is_one_whole_subject,
    a_fan_out_that_stands_answers,
    waiting_for_a_message_can_be_given_up_and_taken_up_again,
);

mod stories {
    use super::*;

    pub(super) async fn a_message_reaches_every_subscription_of_its_subject_and_no_other(world: &World) {
        let mut one = world.there.subscribe("test.a").await.unwrap();
        let mut two = world.here.subscribe("test.a").await.unwrap();
        let mut other = world.there.subscribe("test.b").await.unwrap();
        world.publish("test.a", "hello").await;
        world.publish("test.b", "you").await;
        assert_eq!(next(&mut one).await, message("hello"));
        assert_eq!(next(&mut two).await, message("hello"));
        assert_eq!(next(&mut other).await, message("you"));
    }

    pub(super) async fn messages_of_one_publisher_come_in_their_order(world: &World) {
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        for number in 0..100 {
            world.publish("test.a", &number.to_string()).await;
        }
        for number in 0..100 {
            assert_eq!(next(&mut subscription).await, message(&number.to_string()));
        }
    }

    pub(super) async fn what_is_published_once_a_subscription_returned_arrives(world: &World) {
        for number in 0..100 {
            let subject = format!("test.{number}");
            let mut subscription = world.there.subscribe(&subject).await.unwrap();
            world.publish(&subject, "now").await;
            assert_eq!(next(&mut subscription).await, message("now"));
        }
    }

    pub(super) async fn a_subscription_begins_with_what_comes_and_not_with_what_was(world: &World) {
        world.publish("test.a", "earlier").await;
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        world.publish("test.a", "later").await;
        assert_eq!(next(&mut subscription).await, message("later"));
    }

    pub(super) async fn who_does_not_read_holds_nobody_up_and_is_told_that_it_lagged(world: &World) {
        let mut slow = world.there.subscribe("test.a").await.unwrap();
        let mut swift = world.there.subscribe("test.a").await.unwrap();
        for number in 0..=WAITING_MAX {
            world.publish("test.a", &number.to_string()).await;
            assert_eq!(next(&mut swift).await, message(&number.to_string()));
        }
        let (mut waited, mut lagged) = (0, 0);
        while waited + lagged <= WAITING_MAX {
            match next(&mut slow).await {
                Received::Lagged => lagged += 1,
                received @ Received::Message(_) => {
                    assert_eq!(received, message(&waited.to_string()));
                    waited += 1;
                }
            }
        }
        assert_eq!((waited, lagged), (WAITING_MAX, 1));
        world.publish("test.a", "go on").await;
        assert_eq!(next(&mut slow).await, message("go on"));
    }

    pub(super) async fn who_keeps_up_is_not_told_that_it_lagged(world: &World) {
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        for number in 0..2 * WAITING_MAX {
            let text = number.to_string();
            world.publish("test.a", &text).await;
            assert_eq!(next(&mut subscription).await, message(&text));
        }
    }

    pub(super) async fn a_dropped_subscription_holds_nobody_up(world: &World) {
        drop(world.there.subscribe("test.a").await.unwrap());
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        world.publish("test.a", "still here").await;
        assert_eq!(next(&mut subscription).await, message("still here"));
    }

    pub(super) async fn a_message_published_again_is_no_error(world: &World) {
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        for _ in 0..2 {
            world.here.publish("test.a", "the same id", Bytes::from_static(b"once")).await.unwrap();
        }
        assert_eq!(next(&mut subscription).await, message("once"));
    }

    pub(super) async fn a_subject_is_one_whole_subject(world: &World) {
        for subject in ["test.*", "test.>", "", "test a"] {
            assert!(world.here.subscribe(subject).await.is_err(), "{subject}");
            assert!(world.here.publish(subject, "id", Bytes::new()).await.is_err(), "{subject}");
        }
    }

    pub(super) async fn a_fan_out_that_stands_answers(world: &World) {
        world.here.ping().await.unwrap();
    }

    pub(super) async fn waiting_for_a_message_can_be_given_up_and_taken_up_again(world: &World) {
        let mut subscription = world.there.subscribe("test.a").await.unwrap();
        for number in 0..20 {
            let text = number.to_string();
            tokio::select! {
                biased;
                _ = subscription.next() => panic!("nothing was published yet"),
                () = tokio::task::yield_now() => {}
            }
            world.publish("test.a", &text).await;
            assert_eq!(next(&mut subscription).await, message(&text));
        }
    }
}
