//! Crashes and ends: what was acknowledged is there afterwards, what was begun is finished.

use std::cell::Cell;
use std::time::Duration;

use futures::future::join_all;
use proto::ErrorCode;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::judge::{Judge, refused};
use crate::world::{ADMIN_EMAIL, ADMIN_PASSWORD, Person, Stand, World, eventually};

/// A mail waits for the end of its job's lease where notify was killed, and for the first pause of its
/// schedule where auth was, of whom notify had just asked the link.
const TAKEN_OVER: Duration = Duration::from_secs(90);

everywhere!(a_request_under_way_is_finished_before_the_end);

/// Told everywhere at once, as most of it is waiting.
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let stands = [Stand::Embedded, Stand::OneProcess, Stand::ThreeProcesses];
    join_all(stands.map(async |stand| acknowledged_survives(&World::with(stand, &[]).await).await)).await;
}

async fn acknowledged_survives(world: &World) {
    let people: Vec<Person> = (0..24).map(|n| Person::named(world, &format!("ana{n}"))).collect();
    let acknowledged = Cell::new(0);
    let register = async |person: &Person| {
        let wish = json!({"email": person.email, "password": person.password});
        let answer = person.edge.post("/auth/register").json(wish).try_send().await;
        let taken = answer.as_ref().is_ok_and(|reply| reply.status == 202);
        acknowledged.set(acknowledged.get() + usize::from(taken));
        answer
    };
    let victim = world.process_of("auth");
    let kill = async {
        let half = async || (acknowledged.get() >= 8).then_some(());
        eventually("some are acknowledged", Duration::from_secs(20), half).await;
        victim.kill();
    };
    let (answers, ()) = tokio::join!(join_all(people.iter().map(register)), kill);
    victim.start_again();
    world.is_ready().await;

    for (person, answer) in people.iter().zip(&answers) {
        match answer {
            Ok(reply) if reply.status == 202 => {
                world.mails.arrives_within(TAKEN_OVER, &person.email, "Confirm your e-mail address").await;
            }
            Ok(reply) => assert!((502..=504).contains(&reply.status), "{}", reply.text()),
            // The edge went down with it.
            Err(_) => assert_eq!(victim.name(), "platform"),
        }
    }
    if victim.name() == "auth" {
        // Nobody killed notify in the middle of a mail: there is no reason for a second one.
        world.is_drained().await;
        for person in &people {
            assert!(world.mails.to(&person.email).len() <= 1, "{}", person.email);
        }
    }
}

async fn a_request_under_way_is_finished_before_the_end(world: &World) {
    let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
    let mut stream = BufReader::new(TcpStream::connect(world.edge_address()).await.unwrap());
    let head = format!(
        "POST /auth/login HTTP/1.1\r\nhost: platform.example\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "the edge has begun to read the request");

    let gateway = world.process_of("gateway");
    gateway.terminate();
    eventually("nobody else is let in", Duration::from_secs(5), async || {
        world.edge.get("/health").try_send().await.err()
    })
    .await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 200 OK\r\n") && answer.contains("\"accessToken\""), "{answer}");
    let status = gateway.ends(Duration::from_secs(20)).await;
    assert!(status.success(), "{status}: {}", gateway.last_words());
}

#[tokio::test]
async fn an_event_that_notify_missed_is_told_once_when_it_is_back() {
    let mut world = World::with(Stand::ThreeProcesses, &[]).await;
    world.process_of("notify").kill();
    let ana = Person::named(&world, "ana");
    ana.register(&json!({})).await.is(202);
    refused(&ana.try_login(&ana.password).await, ErrorCode::AuthAccountUnverified);
    let tried = "SELECT max(attempt) FROM auth.job WHERE queue = 'outbox'";
    eventually("auth has tried in vain", Duration::from_secs(20), async || {
        world.backends().select(tried).parse::<u32>().is_ok_and(|attempts| attempts > 0).then_some(())
    })
    .await;
    world.process_of("notify").start_again();
    world.is_ready().await;

    world.mails.arrives_within(TAKEN_OVER, &ana.email, "Confirm your e-mail address").await;
    world.is_drained().await;
    assert_eq!(world.mails.to(&ana.email).len(), 1);
}
