//! Where mails arrive: the folder of the embedded default or the SMTP sink, read alike.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use testkit::mail::{Folder, Mail};
use testkit::smtp::Sink;

use super::eventually;

/// Longer than the outbox needs to find a notify that was away for a moment.
const DELIVERY: Duration = Duration::from_secs(20);

/// All mails of a world.
pub(crate) enum Mailbox {
    Folder(Folder),
    Sink(Arc<Sink>),
}

impl Mailbox {
    pub(super) fn folder(path: PathBuf) -> Mailbox {
        Mailbox::Folder(Folder::new(path))
    }

    pub(super) fn sink(sink: Arc<Sink>) -> Mailbox {
        Mailbox::Sink(sink)
    }

    /// What has arrived at an address so far.
    pub(crate) fn to(&self, address: &str) -> Vec<Mail> {
        match self {
            Mailbox::Folder(folder) => folder.mails_to(address),
            Mailbox::Sink(sink) => {
                let mails = sink.messages().into_iter().map(|message| message.mail());
                mails.filter(|mail| mail.to == address).collect()
            }
        }
    }

    /// The subjects of what has arrived, in alphabetical order.
    pub(crate) fn subjects(&self, address: &str) -> Vec<String> {
        let mut subjects: Vec<String> = self.to(address).into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        subjects
    }

    /// Waits for the mail with this subject.
    pub(crate) async fn arrives(&self, address: &str, subject: &str) -> Mail {
        self.arrives_within(DELIVERY, address, subject).await
    }

    /// The same, for mails that take their time.
    pub(crate) async fn arrives_within(&self, within: Duration, address: &str, subject: &str) -> Mail {
        let what = format!("a mail `{subject}` to {address}");
        let look = async || self.to(address).into_iter().find(|mail| mail.subject == subject);
        eventually(&what, within, look).await
    }
}
