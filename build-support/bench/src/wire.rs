//! HTTP/1.1 as cheaply as a client can speak it: requests are bytes made beforehand, of an answer only the
//! status and the length are read. For servers that always say the length, as ours do.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failure;

/// More than any answer here.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, as long as the connection is left alone.
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// A request without a body.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    request("GET", path, headers, "")
}

/// A request with a body in JSON.
pub fn post(path: &str, headers: &[(&str, &str)], json: &str) -> Vec<u8> {
    let length = json.len().to_string();
    let content = [("content-type", "application/json"), ("content-length", length.as_str())];
    request("POST", path, &[headers, &content].concat(), json)
}

fn request(verb: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{verb} {path} HTTP/1.1\r\nhost: bench\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.extend(["\r\n", body]);
    text.into_bytes()
}

impl Connection {
    /// Connects.
    pub async fn open(to: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(head) = Head::read(&self.received)? else { continue };
            if self.received.len() >= head.bytes + head.body_bytes {
                let body = self.received.get(head.bytes..).unwrap_or_default();
                return Ok(Answer { status: head.status, body });
            }
        }
    }

    /// The same, for who expects one status only and shows any other.
    pub async fn demand(&mut self, request: &[u8], status: u16) -> Result<&[u8], Failure> {
        let answer = self.exchange(request).await?;
        if answer.status == status {
            return Ok(answer.body);
        }
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let (line, body) = (String::from_utf8_lossy(line), String::from_utf8_lossy(answer.body));
        Err(format!("{line} was answered {}: {body}", answer.status).into())
    }
}

/// What is read of the head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    bytes: usize,
    status: u16,
    body_bytes: usize,
}

impl Head {
    /// Reads a head; nothing while it is not all there.
    fn read(received: &[u8]) -> Result<Option<Self>, Failure> {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return match received.len() {
                length if length > ANSWER_BYTES_MAX => Err("a head without an end".into()),
                _ => Ok(None),
            };
        };
        let head = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or("no HTTP answer")?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let body_bytes =
            length.filter(|bytes| *bytes <= ANSWER_BYTES_MAX).ok_or("an answer of no known length")?;
        Ok(Some(Self { bytes: end + 4, status, body_bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 202 Accepted\r\nX: y\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..answer.len() - 3 {
            assert_eq!(Head::read(&answer[..end]).unwrap(), None);
        }
        let head = Head { bytes: answer.len() - 2, status: 202, body_bytes: 2 };
        assert_eq!(Head::read(answer).unwrap(), Some(head));
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let made = String::from_utf8(post("/a", &[("x", "y")], "{}")).unwrap();
        assert_eq!(
            made,
            "POST /a HTTP/1.1\r\nhost: bench\r\nx: y\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        );
    }
}
