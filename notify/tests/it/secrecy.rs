//! What a mail says is in the mail and nowhere else.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use testkit::smtp::{Mode, Sink};

use crate::world::{ADDRESS, CODE, TOKEN, World, contact, event, publish, secret};

/// Everything that was logged, at every level, by everybody.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn secrets_and_addresses_are_in_no_row_and_no_log() {
    let logged = Logged::default();
    let writer = logged.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();

    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        world.directory.keeps_secret("link-1", secret());
        let notify = world.notify(&sink.plain_url().replace("smtp://", "smtp://ana:hunter2@")).await;
        let mut told = event("auth.password-reset-requested");
        told.secret_reference = Some("link-1".to_owned());
        publish(&notify, &told).await;
        let worker = notify.deliveries();
        for mode in [Mode::RefuseRecipient(451), Mode::CutAfterData, Mode::RefuseMessage(451), Mode::Accept] {
            sink.set_mode(mode);
            worker.run_once().await.unwrap();
            world.clock.advance(std::time::Duration::from_secs(4000));
        }
        let mail = sink.messages().pop().unwrap().mail();
        assert_eq!((mail.token("/auth/reset-password"), mail.code()), (Some(TOKEN), Some(CODE)), "{name}");
        assert_eq!(world.status().await, "sent", "{name}");

        let stored = world.everything_stored().await;
        assert!(stored.contains("link-1"), "{name}: the reference is all there is");
        for secret in [TOKEN, CODE, ADDRESS, "hunter2", "Choose one here"] {
            assert!(!stored.contains(secret), "{name}: {secret} is stored");
        }
    }
    let logged = String::from_utf8_lossy(&logged.0.lock().unwrap()).into_owned();
    assert!(logged.contains("event taken"));
    for secret in [TOKEN, CODE, ADDRESS, "hunter2", "Choose one here"] {
        assert!(!logged.contains(secret), "{secret} is logged: {}", around(&logged, secret));
    }
}

fn around<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_default()
}

#[tokio::test]
async fn a_name_that_is_no_name_is_not_spoken() {
    let database = testkit::Database::sqlite();
    let (world, sink) = (World::new(&database).await, Sink::start().await);
    let mut hostile = contact();
    hostile.display_name =
        Some("Ana\r\nBcc: eve@example.org\r\n\r\n<script>http://evil.example</script>".to_owned());
    world.directory.knows(hostile);
    let notify = world.notify(&sink.plain_url()).await;
    publish(&notify, &event("user.verified")).await;
    notify.deliveries().run_once().await.unwrap();

    let received = &sink.messages()[0];
    assert_eq!(received.recipients, [ADDRESS]);
    assert!(received.mail().header("Bcc").is_none());
    for hostile in ["eve@example.org", "evil.example", "<script>"] {
        assert!(!received.raw.contains(hostile), "{hostile}");
    }
    assert!(received.mail().text.starts_with("Hello,\n") || received.mail().text.starts_with("Hello,\r\n"));
}
