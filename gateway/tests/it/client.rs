//! A client that writes its requests by hand, so that it can write bad ones.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The trace that every well-behaved request of the tests carries.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// How long a test waits for what must come.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    line: String,
    headers: Vec<String>,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn new(verb: &str, path: &str) -> Self {
        let trace = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01");
        Self { line: format!("{verb} {path} HTTP/1.1"), headers: vec![trace], body: None }
    }

    pub(crate) fn post(path: &str, json: &str) -> Self {
        Self::new("POST", path).header("content-type", "application/json").body(json.as_bytes())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    pub(crate) async fn send(self, to: SocketAddr) -> Answer {
        let mut text = format!("{}\r\nhost: edge\r\nconnection: close\r\n", self.line);
        for header in &self.headers {
            text.extend([header, "\r\n"]);
        }
        if let Some(body) = &self.body {
            text.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        exchange(to, &bytes).await
    }
}

/// Sends these very bytes and reads until the other side closes.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    // An edge that refuses early may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    read(&mut stream).await
}

/// Reads an answer until the other side closes.
pub(crate) async fn read(stream: &mut TcpStream) -> Answer {
    Answer::parse(&read_text(stream).await)
}

/// Reads whatever comes until the other side closes.
pub(crate) async fn read_text(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async {
        // A reset after the answer is an answer all the same.
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(SOON, read).await.expect("the edge answers and closes");
    String::from_utf8(answer).unwrap()
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).map_or(0, |code| code.parse().unwrap());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The code of the error, or `OK`.
    pub(crate) fn code(&self) -> String {
        if self.status < 400 {
            return "OK".to_owned();
        }
        self.json()["error"]["code"].as_str().unwrap_or("none").to_owned()
    }

    /// Status and body in one line, for snapshots.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}
