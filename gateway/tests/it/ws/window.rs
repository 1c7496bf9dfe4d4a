//! A client's window: one WebSocket.

use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::SOON;

/// A WebSocket.
pub(crate) struct Window(WebSocketStream<TcpStream>);

impl Window {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_from(address, None).await.unwrap()
    }

    /// A window of a page of this origin; else the status and the body of the refusal.
    pub(crate) async fn open_from(address: SocketAddr, origin: Option<&str>) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        // A small window of TCP's: whoever does not read is soon told nothing more.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text; whether the other side still listens is seen by what it answers.
    pub(crate) async fn send_text(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text)).await;
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        let _ = self.0.send(Message::binary(bytes.to_vec())).await;
    }

    /// Signs in, and answers the data of the greeting.
    pub(crate) async fn sign_in(&mut self, token: &str, since: Option<u32>) -> Value {
        self.send(&json!({"event": "AUTH", "data": {"token": token, "since": since}})).await;
        self.event("AUTH_OK").await
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} instead of a frame"),
        }
    }

    /// The data of the next frame, which is of this event.
    pub(crate) async fn event(&mut self, event: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame["event"], event, "{frame}");
        frame["data"].clone()
    }

    /// The titles of the next notifications.
    pub(crate) async fn titles(&mut self, count: usize) -> Vec<String> {
        let mut titles = Vec::new();
        for _ in 0..count {
            let data = self.event("notification:new").await;
            titles.push(data["title"].as_str().unwrap().to_owned());
        }
        titles
    }

    /// Asks the other side and gets its answer next: nothing else was on its way.
    pub(crate) async fn is_quiet(&mut self) {
        self.send(&json!({"event": "ping", "id": "quiet"})).await;
        assert_eq!(self.frame().await, json!({"event": "pong", "id": "quiet"}));
    }

    /// The code with which the other side closes, which comes next.
    pub(crate) async fn code(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(close)) => close.code.into(),
            other => panic!("{other:?} instead of a close"),
        }
    }

    /// The code with which the other side closes, and how many frames come before it.
    pub(crate) async fn code_after_frames(&mut self) -> (u16, usize) {
        let mut frames = 0;
        loop {
            match self.next().await {
                Message::Close(Some(close)) => return (close.code.into(), frames),
                _ => frames += 1,
            }
        }
    }

    /// The client goes away in good order.
    pub(crate) async fn leave(mut self) {
        self.0.close(None).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        let next = timeout(SOON, self.0.next()).await.expect("something comes soon");
        next.expect("a close comes before the end").unwrap()
    }
}
