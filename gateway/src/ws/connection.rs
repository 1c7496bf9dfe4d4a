//! One socket, from its first frame to its last: one task, one timer, and at most one answer in the
//! making. What is to be sent comes through the outbox, also the reason to close.

mod farewell;
mod hearing;

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::{Sink, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::answers::Answered;
use super::close::Close;
use super::manners::Manners;
use super::outbox::Next;
use super::register::Registered;

/// How often a client is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long a client may take to take leave.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// A socket's life.
pub(super) struct Connection {
    stream: WebSocketStream<TcpStream>,
    registered: Registered,
    /// The answer in the making; nothing is read until it is there.
    answer: Option<Pin<Box<dyn Future<Output = Answered> + Send>>>,
    manners: Manners,
    /// Goes off when the client is to be asked whether it lives, or when it must have signed in (again).
    timer: Pin<Box<Sleep>>,
    ping_at: Instant,
    signed_in_until: Instant,
    has_signed_in: bool,
    /// Whether anything came since the last ping.
    heard: bool,
}

/// How a socket's life ends.
enum End {
    /// The edge closes it.
    Closed(Close),
    /// The client went away.
    Gone,
}

impl Connection {
    pub(super) fn new(stream: WebSocketStream<TcpStream>, registered: Registered) -> Self {
        let now = Instant::now();
        let auth_by = now + registered.sockets.bounds.auth_timeout;
        Self {
            stream,
            registered,
            answer: None,
            manners: Manners::new(now),
            timer: Box::pin(sleep_until(auth_by)),
            ping_at: now + PING_EVERY,
            signed_in_until: auth_by,
            has_signed_in: false,
            heard: true,
        }
    }

    /// Lives until the client goes or has to.
    pub(super) async fn live(mut self) {
        let end = std::future::poll_fn(|context| self.poll(context)).await;
        let Self { stream, registered, answer, .. } = self;
        drop(answer);
        let label = match end {
            End::Closed(close) => close.label(),
            End::Gone => "gone",
        };
        metrics::counter!("platform_edge_socket_closes_total", "code" => label).increment(1);
        // Nobody tells it anything more; its address keeps its place until the connection is gone.
        let _place = registered.leave();
        if let End::Closed(close) = end {
            // A client that does not take leave is left.
            let _ = timeout(FAREWELL_MAX, Box::pin(farewell::part(stream, close))).await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Poll::Ready(end) = self.poll_timer(context) {
                return Poll::Ready(end);
            }
            if let Some(answer) = &mut self.answer
                && let Poll::Ready(answered) = answer.as_mut().poll(context)
            {
                self.answer = None;
                self.answered(answered);
            }
            if let Poll::Ready(end) = self.poll_send(context) {
                return Poll::Ready(end);
            }
            if self.answer.is_some() {
                return Poll::Pending;
            }
            match ready!(self.stream.poll_next_unpin(context)) {
                Some(Ok(message)) => self.hear(message),
                Some(Err(Error::Capacity(_))) => return Poll::Ready(End::Closed(Close::TooLarge)),
                Some(Err(Error::Protocol(_) | Error::Utf8(_))) => {
                    return Poll::Ready(End::Closed(Close::BadProtocol));
                }
                Some(Err(_)) | None => return Poll::Ready(End::Gone),
            }
        }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if self.signed_in_until <= now {
                return Poll::Ready(End::Closed(Close::NotAuthenticated));
            }
            if self.ping_at <= now {
                if !self.heard {
                    return Poll::Ready(End::Gone);
                }
                self.heard = false;
                self.ping_at = now + PING_EVERY;
                // A client that cannot even take this is noticed by its silence.
                if let Poll::Ready(Ok(())) = Pin::new(&mut self.stream).poll_ready(context) {
                    let _ = Pin::new(&mut self.stream).start_send(Message::Ping(Bytes::new()));
                }
            }
            self.timer.as_mut().reset(self.ping_at.min(self.signed_in_until));
        }
        Poll::Pending
    }

    /// Sends what waits. A frame leaves the outbox, where frames are counted, only when there is room to
    /// write it.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let outbox = &self.registered.socket.outbox;
        let mut stream = Pin::new(&mut self.stream);
        loop {
            match stream.as_mut().poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Gone),
                Poll::Pending => return outbox.poll_close(context).map(End::Closed),
            }
            let sent = match outbox.poll_next(context) {
                Poll::Ready(Next::Frame(frame)) => stream.as_mut().start_send(Message::Text(frame)),
                Poll::Ready(Next::Close(close)) => return Poll::Ready(End::Closed(close)),
                Poll::Pending => break,
            };
            // A client that took leave is told nothing more; reading on finishes its leave.
            if sent.is_err() {
                break;
            }
        }
        match stream.poll_flush(context) {
            Poll::Ready(Err(_)) => Poll::Ready(End::Gone),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }
}
