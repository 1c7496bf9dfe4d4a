//! A socket at the edge, frame by frame: what it says, what it is told, how it is closed.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than anything is waited for: silence fails the test that waits on it.
const PATIENCE: Duration = Duration::from_mins(1);
/// How a connection ends that nobody closed (RFC 6455, section 7.4.1).
pub(crate) const BROKEN: u16 = 1006;

/// A WebSocket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// What was told while an answer was waited for, in order.
    told: VecDeque<Value>,
    asked: u32,
}

impl Socket {
    /// Opens a socket at an edge, `host:port`.
    pub(crate) async fn open(address: &str) -> Socket {
        Socket::try_open(address).await.unwrap_or_else(|reason| panic!("no socket at {address}: {reason}"))
    }

    /// The same, at an edge that may be away.
    pub(crate) async fn try_open(address: &str) -> Result<Socket, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let opened = client_async(format!("ws://{address}/ws"), stream).await;
        let (stream, _) = opened.map_err(|error| error.to_string())?;
        Ok(Socket { stream, told: VecDeque::new(), asked: 0 })
    }

    /// Signs in, asking for what came after the `seq` it saw last; gives the answer's frame.
    pub(crate) async fn sign_in(&mut self, access: &str, since: Option<u64>) -> Result<Value, u16> {
        let data = match since {
            None => json!({"token": access}),
            Some(since) => json!({"token": access, "since": since}),
        };
        self.ask("AUTH", &data).await
    }

    /// Says something under a name of its own and gives the frame that answers it; the close code where
    /// none does.
    pub(crate) async fn ask(&mut self, event: &str, data: &Value) -> Result<Value, u16> {
        self.asked += 1;
        let mut frame = json!({"event": event, "id": format!("{event} {}", self.asked)});
        if !data.is_null() {
            frame["data"] = data.clone();
        }
        self.say(&frame).await;
        loop {
            let heard = self.read().await?;
            if heard["id"] == frame["id"] {
                return Ok(heard);
            }
            self.told.push_back(heard);
        }
    }

    /// Sends a frame.
    pub(crate) async fn say(&mut self, frame: &Value) {
        // Where it is closed already, what is heard next says so.
        self.stream.send(Message::text(frame.to_string())).await.ok();
    }

    /// What it was told while it waited for an answer.
    pub(crate) fn told(&mut self) -> Option<Value> {
        self.told.pop_front()
    }

    /// The next frame; the close code where there is none any more.
    pub(crate) async fn hear(&mut self) -> Result<Value, u16> {
        match self.told() {
            Some(frame) => Ok(frame),
            None => self.read().await,
        }
    }

    /// Closes it in good order.
    pub(crate) async fn leave(&mut self) {
        self.stream.close(None).await.ok();
        while self.read().await.is_ok() {}
    }

    async fn read(&mut self) -> Result<Value, u16> {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match heard.expect("a socket is never silent: it is pinged") {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(BROKEN, |frame| frame.code.into()));
                }
                Some(Ok(other)) => panic!("what is {other:?}?"),
                Some(Err(_)) | None => return Err(BROKEN),
            }
        }
    }
}
