//! Mails: a message in the form of RFC 5322, and the two ways it can leave.

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message as Composed};
use uuid::Uuid;

use super::Failure;
use super::file::Folder;
use super::smtp::Relay;
use crate::config::MailFrom;
use crate::templates::Message;

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) struct Sender(Mailbox);

impl Sender {
    /// Whom the settings name.
    pub(crate) fn new(from: MailFrom) -> Self {
        Self(from.0)
    }

    /// What the sender is called: the name, else the domain.
    pub(crate) fn brand(&self) -> &str {
        self.0.name.as_deref().unwrap_or_else(|| self.0.email.domain())
    }
}

/// A mail, ready to leave. Its bytes carry secrets: they are never logged and rest nowhere.
pub(crate) struct Mail {
    /// The delivery it makes.
    pub(crate) id: Uuid,
    /// The address of the envelope's sender.
    pub(crate) from: String,
    /// The address of the envelope's one recipient.
    pub(crate) to: String,
    /// The message, its lines ended by CRLF.
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// Puts a message into form. Its Message-ID derives from the delivery's id: a mail that is sent again
    /// is the same mail.
    pub(crate) fn compose(
        id: Uuid,
        sender: &Sender,
        address: &str,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let to: Address = address
            .parse()
            .map_err(|_| Failure::BadAddress("the address is none a mail can go to".to_owned()))?;
        let from = &sender.0;
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let composed = Composed::builder()
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .date(now.into())
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(&message.subject)
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| Failure::Refused(format!("the mail cannot be composed: {error}")))?;
        Ok(Self { id, from: from.email.to_string(), to: to.to_string(), bytes: composed.formatted() })
    }
}

/// Where mails leave.
#[derive(Debug)]
pub(crate) enum Mailer {
    /// Into a folder, for a start without a mail server.
    File(Folder),
    /// To a relay.
    Smtp(Relay),
}

impl Mailer {
    /// Hands a mail over, within 20 s; what the other end said to it.
    pub(crate) async fn send(&self, mail: &Mail) -> Result<String, Failure> {
        match self {
            Self::File(folder) => folder.keep(mail).await,
            Self::Smtp(relay) => relay.send(mail).await,
        }
    }
}

#[cfg(test)]
mod tests;
