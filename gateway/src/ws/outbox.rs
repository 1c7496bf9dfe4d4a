//! What waits to be sent to one socket. It is bounded: a reader that falls behind is told once to start
//! over, and the second time in a row it is cut off.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::close::Close;

/// How many frames wait for a reader, beside a replay.
const ROOM: usize = 64;

/// The frames that wait for one socket. The bytes are shared with the user's other sockets.
#[derive(Default)]
pub(super) struct Outbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Utf8Bytes>,
    /// How many of a replay were put in on top of [`ROOM`]; 0 again once all is sent.
    replayed: usize,
    /// Whether the reader was told to start over and has not caught up since.
    started_over: bool,
    close: Option<Close>,
    reader: Option<Waker>,
}

/// What is to be sent next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// This.
    Frame(Utf8Bytes),
    /// Nothing more: the socket is to be closed.
    Close(Close),
}

/// There is no room for the frame.
#[derive(Debug, PartialEq)]
pub(super) struct Full;

impl Outbox {
    /// Puts a frame behind the others. A socket that is being closed takes it and sends no more.
    pub(super) fn offer(&self, frame: Utf8Bytes) -> Result<(), Full> {
        let mut waiting = self.lock();
        if waiting.close.is_some() {
            return Ok(());
        }
        if waiting.frames.len() >= ROOM + waiting.replayed {
            return Err(Full);
        }
        waiting.frames.push_back(frame);
        waiting.wake();
        Ok(())
    }

    /// Puts the first frames of a signed-in socket in, however many the replay has: their number is
    /// bounded where they come from.
    pub(super) fn begin(&self, frames: Vec<Utf8Bytes>) {
        let mut waiting = self.lock();
        waiting.replayed += frames.len();
        waiting.frames.extend(frames);
        waiting.wake();
    }

    /// Drops what waits for a reader that is too slow in favour of one frame that tells it to start over.
    /// Whoever has not even caught up since the last time is closed.
    pub(super) fn start_over(&self, reset: Utf8Bytes) {
        let mut waiting = self.lock();
        waiting.frames.clear();
        waiting.replayed = 0;
        if waiting.started_over {
            waiting.close.get_or_insert(Close::TooSlow);
        } else {
            waiting.started_over = true;
            waiting.frames.push_back(reset);
        }
        waiting.wake();
    }

    /// Closes the socket behind what waits. The first reason stays.
    pub(super) fn close(&self, close: Close) {
        let mut waiting = self.lock();
        waiting.close.get_or_insert(close);
        waiting.wake();
    }

    /// What is to be sent next.
    pub(super) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Next> {
        let mut waiting = self.lock();
        if let Some(frame) = waiting.frames.pop_front() {
            if waiting.frames.is_empty() {
                (waiting.replayed, waiting.started_over) = (0, false);
                // A long replay must not keep its room for the socket's whole life.
                waiting.frames.shrink_to(ROOM);
            }
            return Poll::Ready(Next::Frame(frame));
        }
        waiting.poll_close(context).map(Next::Close)
    }

    /// Whether the socket is to be closed, whatever waits: for sockets that nothing can be sent to.
    pub(super) fn poll_close(&self, context: &mut Context<'_>) -> Poll<Close> {
        self.lock().poll_close(context)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<Close> {
        if let Some(close) = self.close {
            return Poll::Ready(close);
        }
        if !self.reader.as_ref().is_some_and(|reader| reader.will_wake(context.waker())) {
            self.reader = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(outbox: &Outbox) -> Option<Next> {
        match outbox.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => Some(next),
            Poll::Pending => None,
        }
    }

    fn frame(text: &'static str) -> Utf8Bytes {
        Utf8Bytes::from_static(text)
    }

    fn fill(outbox: &Outbox) {
        while outbox.offer(frame("push")).is_ok() {}
    }

    #[test]
    fn frames_go_out_in_order_and_a_close_behind_them() {
        let outbox = Outbox::default();
        outbox.offer(frame("a")).unwrap();
        outbox.offer(frame("b")).unwrap();
        outbox.close(Close::NotAuthenticated);
        outbox.close(Close::Draining);
        outbox.offer(frame("late")).unwrap();
        assert_eq!(next(&outbox), Some(Next::Frame(frame("a"))));
        assert_eq!(next(&outbox), Some(Next::Frame(frame("b"))));
        assert_eq!(next(&outbox), Some(Next::Close(Close::NotAuthenticated)));
    }

    #[test]
    fn a_slow_reader_starts_over_once_and_is_closed_the_second_time() {
        let outbox = Outbox::default();
        fill(&outbox);
        outbox.start_over(frame("reset"));
        fill(&outbox);
        outbox.start_over(frame("reset"));
        assert_eq!(next(&outbox), Some(Next::Close(Close::TooSlow)));
    }

    #[test]
    fn a_reader_that_caught_up_may_fall_behind_again() {
        let outbox = Outbox::default();
        for _ in 0..3 {
            fill(&outbox);
            outbox.start_over(frame("reset"));
            assert_eq!(next(&outbox), Some(Next::Frame(frame("reset"))));
            assert_eq!(next(&outbox), None);
        }
    }

    #[test]
    fn a_long_replay_leaves_room_for_what_comes_meanwhile() {
        let outbox = Outbox::default();
        outbox.begin(vec![frame("missed"); 500]);
        assert_eq!(outbox.offer(frame("push")), Ok(()));
        while next(&outbox).is_some() {}
        let mut room = 0;
        while outbox.offer(frame("push")).is_ok() {
            room += 1;
        }
        assert_eq!(room, ROOM);
    }
}
