//! Two gateways and a broker that goes away.

use std::time::Duration;

use chassis::Fanout;
use testkit::nats::Nats;

use super::stage::Stage;

#[tokio::test]
async fn windows_at_two_gateways_miss_nothing_while_the_broker_is_away() {
    let mut nats = Nats::start();
    let connect = || async { Fanout::connect(&nats.url().into(), None).await.unwrap() };
    let (notify, left, right) = (connect().await, connect().await, connect().await);
    let kept = Duration::from_secs(proto::fanout::KEPT_SECONDS);
    notify.ensure_stream(proto::fanout::STREAM, proto::fanout::SUBJECTS, kept).await.unwrap();
    let stage = Stage::with(notify).await;
    let (left, right) = (stage.gate_on(left, &[]).await, stage.gate_on(right, &[]).await);
    let token = stage.token_for(900);
    let (mut one, _) = left.signed_in(&token, None).await;
    let (mut other, _) = right.signed_in(&token, None).await;
    stage.say("before").await;
    for window in [&mut one, &mut other] {
        assert_eq!(window.titles(1).await, ["before"]);
    }

    nats.stop();
    stage.notify.write("meanwhile");
    nats.restart();
    for window in [&mut one, &mut other] {
        assert_eq!(window.titles(1).await, ["meanwhile"]);
    }

    // The gateway of one goes; its window comes to the other, and nothing is told twice.
    left.life.shutdown();
    assert_eq!(one.code().await, 1012);
    stage.notify.write("on the way");
    let (mut one, _) = right.signed_in(&token, Some(2)).await;
    assert_eq!(one.titles(1).await, ["on the way"]);
    right.sockets.compare_inboxes().await.unwrap();
    assert_eq!(other.titles(1).await, ["on the way"]);
    one.is_quiet().await;
    other.is_quiet().await;
}
