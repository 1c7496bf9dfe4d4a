//! The ways out: how a message is put into a channel's form, handed over, and what a failure means.

mod email;
mod file;
mod smtp;

pub(crate) use email::{Mail, Mailer, Sender};
pub(crate) use file::Folder;
pub(crate) use smtp::Relay;

use crate::domain::attempt::{Attempt, Outcome};

/// A message was not handed over. The words are for administrators; addresses are taken out of them
/// when they are written down.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The address is bad, for good.
    BadAddress(String),
    /// It is refused, for good.
    Refused(String),
    /// Not now.
    Deferred(String),
    /// The answer was lost after the whole message had gone out.
    Unknown(String),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::BadAddress(detail) => Attempt::new(Outcome::Bounced, detail),
            Failure::Refused(detail) => Attempt::new(Outcome::Refused, detail),
            Failure::Deferred(detail) => Attempt::new(Outcome::Deferred, detail),
            Failure::Unknown(detail) => Attempt::new(Outcome::Unknown, detail),
        }
    }
}
