//! The sink as an SMTP client meets it.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::*;

const WITHIN: Duration = Duration::from_secs(10);

/// Says each line and gives the code of each answer; a connection that ended is code 0.
async fn say(sink: &Sink, lines: &[&str]) -> Vec<u16> {
    let mut stream = BufReader::new(TcpStream::connect(sink.address()).await.unwrap());
    let mut codes = vec![answer(&mut stream).await];
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        codes.push(answer(&mut stream).await);
    }
    codes
}

async fn answer(stream: &mut BufReader<TcpStream>) -> u16 {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.get(3..4) != Some("-") {
            return line.get(..3).unwrap_or("0").parse().unwrap();
        }
    }
}

const MAIL: [&str; 5] =
    ["EHLO me", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA", "To: b@x\r\nSubject: hello\r\n\r\n..dot\r\n."];

#[tokio::test]
async fn a_message_is_kept_as_it_was_meant() {
    let sink = Sink::start().await;
    assert_eq!(say(&sink, &MAIL).await, [220, 250, 250, 250, 354, 250]);

    let messages = sink.wait_for(1, WITHIN).await;
    assert_eq!(
        (messages[0].sender.as_str(), messages[0].recipients.as_slice()),
        ("a@x", &["b@x".to_owned()][..])
    );
    assert_eq!((messages[0].mail().subject.as_str(), messages[0].encrypted), ("hello", false));
    assert_eq!(messages[0].mail().text.trim(), ".dot");
}

#[tokio::test]
async fn a_refusal_keeps_nothing_and_a_cut_keeps_what_it_does_not_confirm() {
    let sink = Sink::start().await;
    sink.set_mode(Mode::RefuseRecipient(550));
    assert_eq!(say(&sink, &MAIL[..3]).await, [220, 250, 250, 550]);
    sink.set_mode(Mode::RefuseMessage(451));
    assert_eq!(say(&sink, &MAIL).await, [220, 250, 250, 250, 354, 451]);
    assert!(sink.messages().is_empty());

    sink.set_mode(Mode::CutAfterData);
    assert_eq!(say(&sink, &MAIL).await, [220, 250, 250, 250, 354, 0]);
    assert_eq!(sink.messages().len(), 1);
}

#[tokio::test]
async fn a_hanging_sink_says_nothing_until_it_goes_on() {
    let sink = Sink::start().await;
    sink.set_mode(Mode::Hang);
    let (codes, ()) = tokio::join!(say(&sink, &["QUIT"]), async {
        sink.wait_for_attempts(1, WITHIN).await;
        sink.set_mode(Mode::Accept);
    });
    assert_eq!(codes, [220, 221]);
}

#[tokio::test]
async fn starttls_is_offered_only_by_a_sink_that_has_a_certificate() {
    assert_eq!(say(&Sink::start().await, &["EHLO me", "STARTTLS"]).await, [220, 250, 502]);
    let sink = Sink::start_tls().await;
    assert_eq!(say(&sink, &["EHLO me", "STARTTLS"]).await, [220, 250, 220]);
    assert!(sink.root().starts_with("-----BEGIN CERTIFICATE-----"));
}
