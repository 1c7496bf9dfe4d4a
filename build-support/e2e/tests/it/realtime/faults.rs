//! Windows while something breaks: nothing is lost, nothing shown twice, and the counts are right on every
//! socket at the end. That each window was told everything once and in order it holds by itself.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use testkit::http::Reply;

use super::ENDED;
use super::reader::{Reader, Sender, note, titles};
use crate::judge::Judge;
use crate::world::{BROKEN, Stand, Window, World, eventually};

/// The longest that any answer may take.
const SLOWEST: Duration = Duration::from_millis(5_500);
const SOON: Duration = Duration::from_secs(20);
/// How many senders send how many.
const LANES: u64 = 4;
const EACH: u64 = 6;

/// What becomes of NATS.
#[derive(Clone, Copy)]
enum Outage {
    /// Connections break and are refused, and what was stored is gone.
    Gone,
    /// Connections stay and nothing answers.
    Frozen,
}

everywhere!(what_was_acknowledged_is_told_once_though_notify_was_killed);

#[tokio::test]
async fn windows_of_two_gateways_are_told_the_same_and_survive_the_end_of_one() {
    let mut world = World::with(Stand::ThreeProcesses, &[]).await;
    world.add_gateway().await;
    let (first, second) = (world.edge_address(), world.other_edge_address());
    let sender = Sender::signed_in(&world).await;
    let ana = Reader::settled(&world, "ana").await;
    let mut here = Window::open(&first, &ana.tokens.access).await;
    let mut there = Window::open(&second, &ana.tokens.access).await;
    sender.tell(&ana, "Dinner is ready").await.is(202);
    let dinner = here.is_told().await;
    assert_eq!(there.is_told().await, dinner);
    there.does("notification:read", json!({"id": dinner["id"]})).await;
    assert_eq!(here.learns("notification:read").await["ids"], json!([dinner["id"]]));

    // A session that ends at one gateway ends at the other.
    let elsewhere = ana.person.login().await;
    let mut left = Window::open(&second, &elsewhere.access).await;
    ana.person.post("/auth/logout", &elsewhere.access, &json!({})).await.is(200);
    assert_eq!(left.closes(ENDED).await, 4401);

    let last = here.seq + 20;
    let send = async {
        for n in 0..20 {
            sender.tell(&ana, &format!("No. {n}")).await.is(202);
        }
    };
    let move_over = async {
        there.reaches(last - 15).await;
        world.other_gateway().kill();
        assert_eq!(there.closes(SOON).await, BROKEN);
        there.address.clone_from(&first);
        there.open_again().await;
        there.reaches(last).await;
    };
    tokio::join!(send, here.reaches(last), move_over);
    agree(&ana, &mut [here, there]).await;
}

#[tokio::test]
async fn what_came_while_nats_was_away_is_told_when_it_is_back() {
    let mut world = World::with(Stand::ThreeProcesses, &[]).await;
    let sender = Sender::signed_in(&world).await;
    let (ana, binh) = (Reader::settled(&world, "ana").await, Reader::settled(&world, "binh").await);
    let mut open = ana.window(&world).await;
    for outage in [Outage::Gone, Outage::Frozen] {
        let (known, shown) = (open.seq, open.shown.len());
        match outage {
            Outage::Gone => world.backends().nats.stop(),
            Outage::Frozen => world.backends().nats.pause(),
        }
        for title in ["Dinner is getting cold", "Dinner is over"] {
            in_time(sender.tell(&ana, title)).await.is(202);
        }
        // Whoever comes now is told by the database where things stand.
        let mut opened_meanwhile = binh.window(&world).await;
        assert_eq!(opened_meanwhile.counts(), binh.unread_count().await);
        match outage {
            Outage::Gone => world.backends().nats.restart_empty(),
            Outage::Frozen => world.backends().nats.resume(),
        }
        open.reaches(known + 2).await;
        assert_eq!(titles(&open.shown[shown..]), ["Dinner is getting cold", "Dinner is over"]);

        let next = opened_meanwhile.seq + 1;
        let mut to_both = note(&ana, "Breakfast is ready");
        to_both["userIds"] = json!([ana.id, binh.id]);
        assert_eq!(sender.send(&to_both).await.expect(202).body["accepted"], 2);
        tokio::join!(open.reaches(known + 3), opened_meanwhile.reaches(next));
        agree(&binh, &mut [opened_meanwhile]).await;
    }
    agree(&ana, &mut [open]).await;
}

/// Whoever has no answer asks again with the same key, and so all are sent in the end, each once.
async fn what_was_acknowledged_is_told_once_though_notify_was_killed(world: &World) {
    let sender = Sender::signed_in(world).await;
    let ana = Reader::settled(world, "ana").await;
    let mut window = ana.window(world).await;
    let notify = world.process_of("notify");
    let lane = async |lane: u64| {
        for n in 0..EACH {
            let mut note = note(&ana, &format!("No. {n} of {lane}"));
            note["idempotencyKey"] = json!(format!("the-kitchens-{n}-of-{lane}"));
            let send = async || {
                let answer = sender.try_send(&note).await.ok()?;
                assert!(answer.status == 202 || (502..=504).contains(&answer.status), "{}", answer.text());
                (answer.status == 202).then_some(())
            };
            eventually("it is sent", SOON, send).await;
            // What the other lanes have sent is under way.
            if lane == 0 && n % 2 == 1 {
                notify.kill();
                notify.start_again();
            }
        }
    };
    tokio::join!(join_all((0..LANES).map(lane)), window.reaches(1 + LANES * EACH));
    world.is_ready().await;

    let mut told: Vec<_> = titles(&window.shown);
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len() as u64, LANES * EACH, "each is told once");
    agree(&ana, &mut [window]).await;
}

/// Holds that windows, list and count say the same, now that nothing is under way.
async fn agree(reader: &Reader, windows: &mut [Window]) {
    let (listed, counted) = (reader.list().await, reader.unread_count().await);
    for window in windows {
        window.takes_in_all().await;
        assert_eq!(listed[0]["seq"], window.seq);
        assert_eq!(listed.len() as u64, window.seq);
        assert_eq!(window.counts(), counted);
        let shown = window.shown.iter().rev();
        assert!(listed.iter().zip(shown).all(|(listed, shown)| listed["id"] == shown["id"]), "{listed:?}");
    }
}

/// Holds that the edge answers as soon as ever.
async fn in_time(answer: impl Future<Output = Reply>) -> Reply {
    let began = Instant::now();
    let answer = answer.await;
    assert!(began.elapsed() <= SLOWEST, "an answer took {:?}", began.elapsed());
    answer
}
