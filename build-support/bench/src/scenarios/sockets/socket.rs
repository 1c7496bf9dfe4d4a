//! A WebSocket (RFC 6455) as cheaply as a client can have one: of a frame only the head is read. For
//! servers that send short frames, each a whole message, as ours do.

use std::net::SocketAddr;
use std::ops::Range;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::people::Person;
use crate::{Failure, wire};

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
/// A client's frames are masked; a mask of zeros changes nothing.
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];
/// The length is in the two bytes that follow.
const TWO_BYTES: u8 = 126;
const PONG: [u8; 6] = [0x8A, MASKED, 0, 0, 0, 0];

/// More than a frame here.
const ROOM: usize = 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A socket.
pub struct Socket {
    stream: TcpStream,
    received: Vec<u8>,
    /// How much of that has been given out.
    given: usize,
}

/// What `AUTH` is answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Greeting {
    /// Who it is.
    pub user_id: String,
    /// The newest notification.
    pub seq: u32,
    /// How many are unread.
    pub unread_count: u32,
    /// The inbox's revision.
    pub revision: u32,
}

#[derive(Deserialize)]
struct Answer {
    event: String,
    data: Greeting,
}

impl Socket {
    /// Opens a socket and signs a person in.
    pub async fn open(edge: SocketAddr, person: &Person) -> Result<(Self, Greeting), Failure> {
        let stream = TcpStream::connect(edge).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, received: Vec::with_capacity(ROOM), given: 0 };
        let head = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("x-forwarded-for", &person.network),
        ];
        socket.stream.write_all(&wire::get("/ws", &head)).await?;
        socket.switch().await?;
        let auth = serde_json::json!({"event": "AUTH", "data": {"token": person.tokens.access_token}});
        socket.stream.write_all(&text(&auth.to_string())?).await?;
        let answered: Answer = serde_json::from_slice(socket.next().await?)?;
        if answered.event == "AUTH_OK" { Ok((socket, answered.data)) } else { Err(answered.event.into()) }
    }

    /// Reads the answer to the upgrade.
    async fn switch(&mut self) -> Result<(), Failure> {
        loop {
            self.read().await?;
            if let Some(end) = self.received.windows(HEAD_END.len()).position(|four| four == HEAD_END) {
                self.given = end + HEAD_END.len();
                break;
            }
        }
        if self.received.starts_with(b"HTTP/1.1 101") {
            return Ok(());
        }
        Err(format!("no socket: {}", String::from_utf8_lossy(&self.received)).into())
    }

    /// The next message; pings are answered.
    pub async fn next(&mut self) -> Result<&[u8], Failure> {
        let message = loop {
            let Some((kind, body)) = frame(&self.received, self.given) else {
                self.received.drain(..self.given);
                self.given = 0;
                self.read().await?;
                continue;
            };
            self.given = body.end;
            match kind {
                TEXT => break body,
                PING => self.stream.write_all(&PONG).await?,
                _ => return Err(format!("a frame of the kind {kind:#x}").into()),
            }
        };
        Ok(self.received.get(message).unwrap_or_default())
    }

    async fn read(&mut self) -> Result<(), Failure> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the edge closed a socket".into()),
            _ => Ok(()),
        }
    }
}

/// The first byte of the frame that begins here, and where its payload is; nothing while it is not whole.
fn frame(received: &[u8], from: usize) -> Option<(u8, Range<usize>)> {
    let head = received.get(from..)?;
    let (begin, length) = match *head {
        [_, TWO_BYTES, high, low, ..] => (from + 4, u16::from_be_bytes([high, low])),
        [_, TWO_BYTES, ..] => return None,
        [_, length, ..] => (from + 2, length.into()),
        _ => return None,
    };
    let body = begin..begin + usize::from(length);
    (body.end <= received.len()).then(|| (head[0], body))
}

/// A client's frame of more than a few bytes.
fn text(message: &str) -> Result<Vec<u8>, Failure> {
    let length = u16::try_from(message.len())?.to_be_bytes();
    Ok([&[TEXT, MASKED | TWO_BYTES], &length[..], &MASK, message.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let short = [TEXT, 2, b'h', b'i', PING, 0];
        assert_eq!(frame(&short[..3], 0), None);
        assert_eq!(frame(&short, 0), Some((TEXT, 2..4)));
        assert_eq!(frame(&short, 4), Some((PING, 6..6)));
        assert_eq!(frame(&short, 6), None);
        let long = [&[TEXT, TWO_BYTES, 1, 0], &[b' '; 256][..]].concat();
        assert_eq!(frame(&long[..259], 0), None);
        assert_eq!(frame(&long, 0), Some((TEXT, 4..260)));
    }
}
