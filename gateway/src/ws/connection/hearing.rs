//! What a client says, and what it is told in return.

use std::time::Duration;

use proto::ErrorCode;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Connection;
use crate::ws::answers::{Answered, Asked};
use crate::ws::asks::{Ask, Misfit};
use crate::ws::close::Close;
use crate::ws::frames;

/// How long `AUTH` may take once it came: everything it waits for has a deadline of its own.
const SIGN_IN_MAX: Duration = Duration::from_secs(30);
/// For how long a token is believed at most: timers have an end.
const SIGNED_IN_MAX: Duration = Duration::from_hours(24 * 30);

impl Connection {
    /// Hears a frame.
    pub(super) fn hear(&mut self, message: Message) {
        self.heard = true;
        if self.manners.is_flood(Instant::now()) {
            return self.registered.socket.outbox.close(Close::TooMany);
        }
        match message {
            Message::Text(text) => self.hear_text(&text),
            Message::Binary(_) => {
                self.misfit(&Misfit { id: None, error: ErrorCode::MalformedRequest.into() });
            }
            // Pings are answered below us; a close is, too, and ends the stream.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }

    fn hear_text(&mut self, text: &str) {
        let sockets = &self.registered.sockets;
        let (ask, id) = match sockets.asks.read(text) {
            Ok(read) => read,
            Err(misfit) => return self.misfit(&misfit),
        };
        let signed_in = self.registered.socket.signed_in().filter(|_| self.has_signed_in);
        let asked = Asked { sockets: sockets.clone(), socket: self.registered.socket.clone(), id };
        self.answer = match (ask, signed_in) {
            (Ask::Auth { token, since }, None) => {
                self.signed_in_until = Instant::now() + SIGN_IN_MAX;
                Some(Box::pin(asked.sign_in(token, since)))
            }
            (_, None) => return self.registered.socket.outbox.close(Close::NotAuthenticated),
            (Ask::Auth { token, .. }, Some(before)) => Some(Box::pin(asked.renew(token, before))),
            (Ask::Read { notification_id }, Some(signed_in)) => {
                Some(Box::pin(asked.mark(signed_in, Some(notification_id))))
            }
            (Ask::ReadAll, Some(signed_in)) => Some(Box::pin(asked.mark(signed_in, None))),
            (Ask::Ping, Some(_)) => return self.say(frames::pong(asked.id.as_ref())),
        };
    }

    /// Answers a frame that is none. Before somebody signed in only a bad `since` is forgiven.
    fn misfit(&mut self, misfit: &Misfit) {
        let only_since = misfit.error.violations().iter().all(|violation| violation.field == "since")
            && !misfit.error.violations().is_empty();
        self.say(self.registered.sockets.hub.frames.error(misfit.id.as_ref(), &misfit.error));
        if !self.has_signed_in && !only_since {
            self.registered.socket.outbox.close(Close::NotAuthenticated);
        } else if self.manners.is_hopeless() {
            self.registered.socket.outbox.close(Close::BadProtocol);
        }
    }

    /// Does what an answer means for the socket.
    pub(super) fn answered(&mut self, answered: Answered) {
        match answered {
            Answered::SignedIn(until) => {
                let left = (until - self.registered.sockets.clock.now()).to_std().unwrap_or_default();
                self.signed_in_until = Instant::now() + left.min(SIGNED_IN_MAX);
                self.has_signed_in = true;
                self.timer.as_mut().reset(self.ping_at.min(self.signed_in_until));
            }
            Answered::Done => {}
            Answered::Said(frame) => self.say(frame),
            Answered::Refused(frame, close) => {
                self.say(frame);
                self.registered.socket.outbox.close(close);
            }
            Answered::OneTooMany => self.registered.socket.outbox.close(Close::TooMany),
        }
    }

    /// Answers the client; one that reads so little that its own answers do not fit is too slow.
    fn say(&self, frame: Utf8Bytes) {
        let outbox = &self.registered.socket.outbox;
        if outbox.offer(frame).is_err() {
            outbox.close(Close::TooSlow);
        }
    }
}
