//! What stands in a person's inbox, and how much of it is unread.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::event::Event;

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// The longest body, in characters.
const BODY_CHARS_MAX: usize = 4000;

/// A notification, as it stands in the inbox of one user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notification {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its place in the inbox: from 1, without gaps.
    pub(crate) seq: u32,
    /// What happened.
    pub(crate) kind: String,
    /// What it says.
    pub(crate) words: Words,
    /// What a program may want to know of it.
    pub(crate) data: Map<String, Value>,
    /// When it came.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was first listed.
    pub(crate) seen_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub(crate) read_at: Option<DateTime<Utc>>,
    /// When it was put away.
    pub(crate) archived_at: Option<DateTime<Utc>>,
}

/// A notification that is to come into an inbox, which gives it its place.
#[derive(Clone, Debug)]
pub(crate) struct NewNotification {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose inbox.
    pub(crate) user_id: Uuid,
    /// What it says.
    pub(crate) words: Words,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// A line; never empty.
    pub(crate) title: String,
    /// A paragraph; may be empty.
    pub(crate) body: String,
}

/// Where an inbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The place of its newest notification; 0 where there is none.
    pub(crate) seq: u32,
    /// How many are unread.
    pub(crate) unread_count: u32,
    /// Raised by every change of what is there or what is read.
    pub(crate) revision: u32,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// One notification.
    One(Uuid),
    /// All up to this place.
    UpTo(u32),
}

/// Which notifications are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All that are not put away.
    Kept,
    /// Those of them that are not read.
    Unread,
    /// Those put away.
    Archived,
}

impl Words {
    /// Words from anywhere, as an inbox shows them: the title is one line, neither is longer than an inbox
    /// has room for, and no control characters but line breaks in the body. Nothing where no title is left.
    pub(crate) fn new(title: &str, body: &str) -> Option<Self> {
        let words: Vec<&str> = title.split(|c: char| c.is_control() || c.is_whitespace()).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let title: String = words.join(" ").chars().take(TITLE_CHARS_MAX).collect();
        let body = body.trim().replace("\r\n", "\n");
        let shown = body.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c });
        let body = shown.take(BODY_CHARS_MAX).collect();
        if title.is_empty() { None } else { Some(Self { title, body }) }
    }
}

impl NewNotification {
    /// What it is once it stands at this place.
    pub(crate) fn at(&self, seq: u32, event: &Event, now: DateTime<Utc>) -> Notification {
        Notification {
            id: self.id,
            seq,
            kind: event.kind.clone(),
            words: self.words.clone(),
            data: event.data.clone(),
            created_at: now,
            seen_at: None,
            read_at: None,
            archived_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_and_a_body_keeps_its_lines() {
        let words = Words::new(" Hello\r\n\u{0}there ", "one\r\ntwo\u{0}\tthree\n").unwrap();
        assert_eq!((words.title.as_str(), words.body.as_str()), ("Hello there", "one\ntwo  three"));
        assert_eq!(Words::new(" \n\u{7} ", "x"), None);
    }
}
