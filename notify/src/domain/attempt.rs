//! One try to deliver a message, as it is remembered: what came of it and why, without secrets and
//! without addresses.

/// The longest explanation, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// Why, in at most 500 characters and fit for an administrator's eyes.
    pub(crate) detail: String,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The channel took the message.
    Sent,
    /// The address is bad, for good.
    Bounced,
    /// It cannot be sent, for good.
    Refused,
    /// Not now; it is worth another try.
    Deferred,
    /// It may have been taken: the answer was lost. It is tried again with the same Message-ID.
    Unknown,
    /// What it would say is no longer true, or nobody is there to read it.
    Cancelled,
}

impl Outcome {
    /// The word in the database, in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Bounced => "bounced",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Attempt {
    /// An attempt. Whatever in `detail` looks like an address is left out: servers like to repeat it.
    pub(crate) fn new(outcome: Outcome, detail: impl AsRef<str>) -> Self {
        let words = detail.as_ref().split(|c: char| c.is_whitespace() || c.is_control());
        let kept: Vec<&str> = words
            .filter(|word| !word.is_empty())
            .map(|word| if word.contains('@') { "<address>" } else { word })
            .collect();
        Self { outcome, detail: kept.join(" ").chars().take(DETAIL_CHARS_MAX).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_one_bounded_line_without_addresses() {
        let attempt = Attempt::new(Outcome::Bounced, "550 5.1.1 <ana@example.org>:\r\n\tno such user");
        assert_eq!(attempt.detail, "550 5.1.1 <address> no such user");
        assert_eq!(Attempt::new(Outcome::Deferred, "é".repeat(900)).detail.chars().count(), 500);
    }
}
