//! Nothing is lost and nothing is told twice, whatever becomes of the pushes.

use std::sync::atomic::Ordering;

use proto::ErrorCode;
use serde_json::json;

use super::stage::Stage;

#[tokio::test]
async fn a_window_that_was_away_is_told_exactly_what_it_missed() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let token = stage.token_for(900);
    let (mut window, greeting) = gate.signed_in(&token, None).await;
    assert_eq!(greeting["seq"], 0);
    stage.say("seen").await;
    assert_eq!(window.titles(1).await, ["seen"]);
    window.leave().await;
    for title in ["one", "two"] {
        stage.say(title).await;
    }
    let (mut window, greeting) = gate.signed_in(&token, Some(1)).await;
    assert_eq!((&greeting["seq"], &greeting["unreadCount"]), (&json!(3), &json!(3)));
    assert_eq!(window.titles(2).await, ["one", "two"]);
    window.is_quiet().await;
    stage.say("three").await;
    assert_eq!(window.titles(1).await, ["three"]);
}

#[tokio::test]
async fn a_gap_that_is_too_long_is_a_reset_and_a_future_one_is_none() {
    let stage = Stage::new().await;
    for number in 0..501 {
        stage.notify.write(&number.to_string());
    }
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), Some(0)).await;
    assert_eq!(window.event("reset").await, json!({"seq": 501}));
    window.is_quiet().await;
    let (mut window, greeting) = gate.signed_in(&stage.token_for(900), Some(9999)).await;
    assert_eq!(greeting["seq"], 501);
    window.is_quiet().await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), Some(1)).await;
    assert_eq!(window.titles(500).await.last().unwrap(), "500");
}

#[tokio::test]
async fn pushes_that_come_twice_or_in_another_order_are_told_once_and_in_order() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    let pushes = ["1", "2", "3", "4"].map(|title| stage.notify.write(title));
    for number in [0, 0, 2, 1, 3, 0] {
        stage.publish(&pushes[number]).await;
    }
    assert_eq!(window.titles(4).await, ["1", "2", "3", "4"]);
    window.is_quiet().await;
}

#[tokio::test]
async fn a_push_that_was_on_its_way_when_a_window_signed_in_is_told_to_it_once() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut first, _) = gate.signed_in(&stage.token_for(900), None).await;
    let push = stage.notify.write("hello");
    let (mut second, greeting) = gate.signed_in(&stage.token_for(900), Some(0)).await;
    assert_eq!(greeting["seq"], 1);
    stage.publish(&push).await;
    for window in [&mut first, &mut second] {
        assert_eq!(window.titles(1).await, ["hello"]);
        window.is_quiet().await;
    }
}

#[tokio::test]
async fn lost_pushes_are_found_by_comparing_revisions() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    stage.notify.write("lost");
    gate.sockets.compare_inboxes().await.unwrap();
    assert_eq!(window.titles(1).await, ["lost"]);
    stage.notify.read_all();
    gate.sockets.compare_inboxes().await.unwrap();
    let count = window.event("notification:unread-count").await;
    assert_eq!(count, json!({"count": 0, "revision": 2}));
    let before = stage.notify.synced.load(Ordering::SeqCst);
    gate.sockets.compare_inboxes().await.unwrap();
    window.is_quiet().await;
    assert_eq!(stage.notify.synced.load(Ordering::SeqCst), before, "who lacks nothing asks nothing");
}

#[tokio::test]
async fn a_hole_that_cannot_be_filled_at_once_is_filled_as_soon_as_notify_is_back() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    *stage.notify.fails.lock().unwrap() = Some(ErrorCode::ServiceUnavailable);
    stage.notify.write("lost");
    let before = stage.notify.synced.load(Ordering::SeqCst);
    stage.say("late").await;
    while stage.notify.synced.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
    *stage.notify.fails.lock().unwrap() = None;
    assert_eq!(window.titles(2).await, ["lost", "late"]);
}

#[tokio::test]
async fn the_newest_count_stays_when_pushes_overtake_each_other() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let (mut window, _) = gate.signed_in(&stage.token_for(900), None).await;
    let (came, read) = (stage.notify.write("a"), stage.notify.read_all());
    stage.publish(&read).await;
    stage.publish(&came).await;
    assert_eq!(window.event("notification:read").await["unreadCount"], 0);
    let late = window.event("notification:new").await;
    assert_eq!((&late["unreadCount"], &late["revision"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_cut_and_the_others_miss_nothing() {
    let stage = Stage::new().await;
    let gate = stage.gate(&[]).await;
    let token = stage.token_for(900);
    let (mut slow, _) = gate.signed_in(&token, None).await;
    let (mut quick, _) = gate.signed_in(&token, None).await;
    let long = "x".repeat(100 * 1024);
    for _ in 0..300 {
        stage.say(&long).await;
        assert_eq!(quick.titles(1).await, [long.as_str()]);
    }
    let (code, frames) = slow.code_after_frames().await;
    assert_eq!(code, 4408);
    assert!(frames < 300, "{frames} frames were kept for it");
    quick.is_quiet().await;
}
