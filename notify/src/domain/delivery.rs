//! A message to one person over one channel, from the moment it is owed to its end.

use std::time::Duration;

use uuid::Uuid;

use super::attempt::Outcome;

/// How long to wait after each failed attempt; after the last one the delivery is dead.
pub(crate) const RETRY_SCHEDULE: &[Duration] =
    &[Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(15), Duration::from_hours(1)];

/// How long one attempt may take, all in all.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an attempt belongs to its worker. An attempt that outlived it would be made twice.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

const _: () = assert!(ATTEMPT_TIMEOUT.as_secs() * 3 / 2 < LEASE.as_secs());

/// A message owed to one user.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// Its id; the Message-ID derives from it, so that a repeated mail is recognised as the same.
    pub(crate) id: Uuid,
    /// What it tells of.
    pub(crate) event_id: Uuid,
    /// Whom it tells.
    pub(crate) user_id: Uuid,
    /// Over what it goes.
    pub(crate) channel: Channel,
    /// How far it has come.
    pub(crate) status: Status,
}

/// A way to reach people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Electronic mail.
    Email,
}

impl Channel {
    /// The word in the database, in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
        }
    }

    /// The channel of this word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        (word == "email").then_some(Self::Email)
    }
}

/// How far a delivery has come. `sending` is no status of its own: it is `pending` while a worker
/// holds the lease of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Owed.
    Pending,
    /// Handed over to the channel.
    Sent,
    /// The address is bad.
    Bounced,
    /// Given up.
    Dead,
    /// No longer wanted: what it would say is not true any more.
    Cancelled,
}

impl Status {
    const ALL: [Self; 5] = [Self::Pending, Self::Sent, Self::Bounced, Self::Dead, Self::Cancelled];

    /// The word in the database and outside.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Bounced => "bounced",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Where an attempt leaves its delivery, if no other follows it.
    pub(crate) fn after(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Sent => Self::Sent,
            Outcome::Bounced => Self::Bounced,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Refused | Outcome::Deferred | Outcome::Unknown => Self::Dead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("sending"), None);
        assert_eq!(Channel::parse(Channel::Email.as_str()), Some(Channel::Email));
    }
}
