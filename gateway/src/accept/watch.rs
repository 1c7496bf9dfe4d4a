//! What an HTTP/1 connection's bytes show and hyper hides: a head with two lengths (hyper drops one of
//! them and says nothing), and whether a head is being sent right now.
//!
//! The bytes are read as lines; a run of lines without an empty one holds at least one whole head. So a
//! head with both fields is always seen. A body could look like one only by being written like one, and
//! such a connection is no loss.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Head;

const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

/// The state that a connection's socket and its requests share.
#[derive(Debug, Default)]
pub(super) struct Watch {
    lines: Mutex<Lines>,
    /// Once set it stays: the peer cannot be trusted to mean one thing.
    two_lengths: AtomicBool,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

#[derive(Debug, Default)]
struct Lines {
    /// The beginning of the current line, as far as it matters.
    line: Vec<u8>,
    /// How many bytes the current line has, line breaks apart.
    length: usize,
    has_length: bool,
    has_coding: bool,
}

impl Watch {
    /// Looks at bytes that came in.
    pub(super) fn see(&self, bytes: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if lines.see(part) {
                self.two_lengths.store(true, Ordering::Relaxed);
            }
        }
    }

    /// A request's head was read.
    pub(super) fn begin_request(&self) -> Head {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if self.two_lengths.load(Ordering::Relaxed) { Head::TwoLengths } else { Head::Plain }
    }

    /// A request was answered.
    pub(super) fn end_request(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether no request is under way, so that what comes in is a head.
    pub(super) fn is_idle(&self) -> bool {
        self.begun() == self.ended.load(Ordering::Relaxed)
    }

    /// How many heads were read.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }
}

impl Lines {
    /// Takes a line, or a part of one; whether the head it belongs to has two lengths.
    fn see(&mut self, part: &[u8]) -> bool {
        let text = part.strip_suffix(b"\n").unwrap_or(part);
        let room = CODING.len().saturating_sub(self.line.len());
        self.line.extend(text.iter().take(room).map(u8::to_ascii_lowercase));
        self.length += text.iter().filter(|byte| **byte != b'\r').count();
        if part.ends_with(b"\n") {
            self.has_length |= self.line.starts_with(LENGTH);
            self.has_coding |= self.line.starts_with(CODING);
            let two_lengths = self.has_length && self.has_coding;
            if self.length == 0 {
                (self.has_length, self.has_coding) = (false, false);
            }
            self.line.clear();
            self.length = 0;
            return two_lengths;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMUGGLED: &[u8] =
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    fn seen(parts: &[&[u8]]) -> Head {
        let watch = Watch::default();
        for part in parts {
            watch.see(part);
        }
        watch.begin_request()
    }

    proptest! {
        #[test]
        fn two_lengths_are_seen_however_the_bytes_arrive(cut in 0..SMUGGLED.len(), other in 0..SMUGGLED.len()) {
            let (a, b) = (cut.min(other), cut.max(other));
            prop_assert_eq!(seen(&[&SMUGGLED[..a], &SMUGGLED[a..b], &SMUGGLED[b..]]), Head::TwoLengths);
        }
    }

    #[test]
    fn they_are_seen_behind_another_request_and_in_either_order() {
        let plain = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}".as_slice();
        assert_eq!(seen(&[plain, SMUGGLED]), Head::TwoLengths);
        assert_eq!(seen(&[b"GET / HTTP/1.1\nTRANSFER-ENCODING: x\nContent-Length: 1\n\n"]), Head::TwoLengths);
    }

    #[test]
    fn honest_requests_are_plain() {
        let one = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}".as_slice();
        let other = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".as_slice();
        assert_eq!(seen(&[one, other, one]), Head::Plain);
    }
}
