//! A connection's bytes on their way: the first ones tell the protocol, a head that takes too long is
//! cut, and what hyper answers by itself is given the envelope.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use proto::ErrorCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::watch::Watch;
use crate::transcode::envelope;

/// How HTTP/2 begins (RFC 9113, section 3.4); no HTTP/1 request begins with its first three bytes.
const H2_BEGINS: &[u8] = b"PRI";

/// The trace id that says there is none (W3C Trace Context, section 3.2.2.3).
const NO_TRACE: &str = "00000000000000000000000000000000";

/// A connection.
pub(super) struct Socket<S> {
    stream: S,
    watch: Arc<Watch>,
    head_timeout: Duration,
    /// The first bytes, until they are read again.
    first: Vec<u8>,
    speaks_h2: bool,
    /// The number of the head that is being sent, and until when it must be whole.
    head_due: Option<(usize, Pin<Box<Sleep>>)>,
    /// What is left of an answer of our own in the place of hyper's.
    instead: Option<Instead>,
}

/// An answer that takes the place of hyper's.
struct Instead {
    bytes: Vec<u8>,
    written: usize,
    /// How many bytes of hyper's it stands for.
    stands_for: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Waits for the first bytes of a connection.
    pub(super) async fn open(mut stream: S, watch: Arc<Watch>, head_timeout: Duration) -> io::Result<Self> {
        let mut first = Vec::with_capacity(H2_BEGINS.len());
        while first.len() < H2_BEGINS.len() && H2_BEGINS.starts_with(&first) {
            first.push(stream.read_u8().await?);
        }
        let speaks_h2 = first == H2_BEGINS;
        if !speaks_h2 {
            watch.see(&first);
        }
        let mut socket =
            Self { stream, watch, head_timeout, first, speaks_h2, head_due: None, instead: None };
        socket.expect_head();
        Ok(socket)
    }

    /// The stream itself, once it is no longer HTTP.
    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    /// Whether the peer speaks HTTP/2.
    pub(super) fn speaks_h2(&self) -> bool {
        self.speaks_h2
    }

    /// Notes that bytes came in: the first ones of a head start its time.
    fn saw(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.speaks_h2 {
            return;
        }
        self.watch.see(bytes);
        self.expect_head();
    }

    fn expect_head(&mut self) {
        let number = self.watch.begun();
        let is_expected = self.head_due.as_ref().is_some_and(|(expected, _)| *expected == number);
        if self.watch.is_idle() && !is_expected {
            self.head_due = Some((number, Box::pin(sleep_until(Instant::now() + self.head_timeout))));
        }
    }

    /// Ends a head that takes too long; the answer is sent as far as it can be at once.
    fn check_head(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let number = self.watch.begun();
        let Some((expected, due)) = self.head_due.as_mut() else { return Ok(()) };
        if *expected != number || self.speaks_h2 {
            self.head_due = None;
            return Ok(());
        }
        if due.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        let answer = refusal(ErrorCode::RequestTimeout);
        let _ = Pin::new(&mut self.stream).poll_write(context, &answer);
        Err(io::ErrorKind::TimedOut.into())
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(instead) = self.instead.as_mut() else { return Poll::Ready(Ok(0)) };
        while instead.written < instead.bytes.len() {
            let rest = &instead.bytes[instead.written..];
            match Pin::new(&mut self.stream).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => instead.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        let stands_for = instead.stands_for;
        self.instead = None;
        Poll::Ready(Ok(stands_for))
    }
}

/// The code of an answer that hyper gave by itself, to a head it could not read. All of ours have a body.
fn own_answer(bytes: &[u8]) -> Option<ErrorCode> {
    let code = match bytes.get(..12)? {
        b"HTTP/1.1 400" => ErrorCode::MalformedRequest,
        b"HTTP/1.1 431" | b"HTTP/1.1 414" => ErrorCode::HeadersTooLarge,
        _ => return None,
    };
    let is_empty =
        bytes.ends_with(b"\r\n\r\n") && bytes.windows(19).any(|part| part == b"content-length: 0\r\n");
    is_empty.then_some(code)
}

/// A whole answer for a head that could not be read.
fn refusal(code: ErrorCode) -> Vec<u8> {
    let body = envelope::write(&code.into(), NO_TRACE);
    let status = http::StatusCode::from_u16(code.http_status()).unwrap_or(http::StatusCode::BAD_REQUEST);
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.first.is_empty() {
            let length = this.first.len().min(buffer.remaining());
            buffer.put_slice(&this.first[..length]);
            this.first.drain(..length);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                this.saw(&buffer.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match this.check_head(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.instead.is_none() && !this.speaks_h2 && this.watch.is_idle() {
            this.instead = own_answer(bytes).map(|code| Instead {
                bytes: refusal(code),
                written: 0,
                stands_for: bytes.len(),
            });
        }
        if this.instead.is_some() {
            return this.poll_instead(context);
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let [only] = parts else {
            return Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        };
        Pin::new(this).poll_write(context, only)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
