//! Why a dialogue with a relay ended early, and what that means for the mail.

use std::fmt;

use super::Failure;
use super::reply::Reply;

/// A dialogue ended early.
#[derive(Debug)]
pub(super) struct Stop {
    /// How far it had come.
    pub(super) step: Step,
    /// What ended it.
    pub(super) reason: Reason,
}

/// How far a dialogue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Connecting, greeting, encrypting, logging in: nothing of the mail was said.
    Opening,
    /// The sender was said.
    Sender,
    /// The recipient was said.
    Recipient,
    /// The relay was asked to take the message.
    Data,
    /// The message is on its way.
    Message,
}

/// What ended a dialogue.
#[derive(Debug)]
pub(super) enum Reason {
    /// The relay said no.
    Reply(Reply),
    /// The connection broke, was not to be had or was not to be trusted, or there was no answer in time.
    Broken(String),
}

impl Stop {
    /// Whether a connection that was idle had died: nothing of the mail was heard.
    pub(super) fn is_stale_connection(&self) -> bool {
        self.step == Step::Sender
            && (matches!(self.reason, Reason::Broken(_)) || !self.leaves_connection_usable())
    }

    /// Whether both ends still agree on where they are.
    pub(super) fn leaves_connection_usable(&self) -> bool {
        // By 421 a relay announces that it hangs up.
        matches!(&self.reason, Reason::Reply(reply) if reply.code != 421)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        let words = stop.to_string();
        match (stop.step, stop.reason) {
            (Step::Message, Reason::Broken(_)) => Self::Unknown(words),
            // What a relay has against us, it has not against the mail: somebody will mend it.
            (Step::Opening, _) | (_, Reason::Broken(_)) => Self::Deferred(words),
            (_, Reason::Reply(reply)) if !reply.is_permanent() || reply.code == 530 => Self::Deferred(words),
            (Step::Recipient | Step::Message, Reason::Reply(reply)) if reply.is_about_recipient() => {
                Self::BadAddress(words)
            }
            (_, Reason::Reply(_)) => Self::Refused(words),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Opening => "connecting",
            Step::Sender => "MAIL",
            Step::Recipient => "RCPT",
            Step::Data => "DATA",
            Step::Message => "the message",
        };
        match &self.reason {
            Reason::Reply(reply) => write!(f, "{step}: {reply}"),
            Reason::Broken(why) => write!(f, "{step}: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, code: u16, line: &str) -> Failure {
        Stop { step, reason: Reason::Reply(Reply { code, lines: vec![line.to_owned()] }) }.into()
    }

    #[test]
    fn what_a_no_means_depends_on_when_it_is_said() {
        assert!(matches!(refused(Step::Opening, 554, "no service"), Failure::Deferred(_)));
        assert!(matches!(refused(Step::Opening, 535, "5.7.8 bad login"), Failure::Deferred(_)));
        assert!(matches!(refused(Step::Sender, 530, "5.7.0 log in first"), Failure::Deferred(_)));
        assert!(matches!(refused(Step::Sender, 550, "5.1.8 who are you"), Failure::Refused(_)));
        assert!(matches!(refused(Step::Recipient, 451, "4.7.1 grey"), Failure::Deferred(_)));
        assert!(matches!(refused(Step::Recipient, 550, "5.1.1 unknown"), Failure::BadAddress(_)));
        assert!(matches!(refused(Step::Message, 554, "5.6.0 spam"), Failure::Refused(_)));
    }

    #[test]
    fn only_a_break_after_the_message_leaves_its_fate_open() {
        let broken = |step| Failure::from(Stop { step, reason: Reason::Broken("reset".to_owned()) });
        assert!(matches!(broken(Step::Data), Failure::Deferred(_)));
        assert!(matches!(broken(Step::Message), Failure::Unknown(_)));
    }
}
