//! A person's window: what a client shows of an inbox, kept up to date by a socket as the contract says.
//! Nothing may be lost on the way to it and nothing shown twice: it holds that whatever it is told.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::eventually;
use super::socket::Socket;

/// How soon a window is told what happened, where nothing is broken.
const SOON: Duration = Duration::from_secs(10);
/// How soon one that the broker's hint missed has caught up with the database.
const CAUGHT_UP: Duration = Duration::from_secs(40);

/// A window.
pub(crate) struct Window {
    /// The edge it is at, `host:port`.
    pub(crate) address: String,
    access: String,
    socket: Socket,
    /// The `seq` of the newest notification it knows of.
    pub(crate) seq: u64,
    /// How many are unread.
    pub(crate) unread: u64,
    revision: u64,
    /// The notifications it was told, in order.
    pub(crate) shown: Vec<Value>,
}

impl Window {
    /// Opens at an edge, `host:port`, signed in; what came before is the list's affair.
    pub(crate) async fn open(address: &str, access: &str) -> Window {
        let mut socket = Socket::open(address).await;
        let answer = socket.sign_in(access, None).await.expect("a good token signs in");
        assert_eq!(answer["event"], "AUTH_OK", "{answer}");
        let (address, access) = (address.to_owned(), access.to_owned());
        let (seq, shown) = (number(&answer["data"]["seq"]), Vec::new());
        let mut window = Window { address, access, socket, seq, unread: 0, revision: 0, shown };
        window.count("unreadCount", &answer["data"]);
        window
    }

    /// Opens again, asking for what it missed. An edge that is away is tried again.
    pub(crate) async fn open_again(&mut self) {
        let since = self.seq;
        let open = async || {
            let mut socket = Socket::try_open(&self.address).await.ok()?;
            let answer = socket.sign_in(&self.access, Some(since)).await.ok()?;
            (answer["event"] == "AUTH_OK").then_some((socket, answer))
        };
        let (socket, answer) = eventually("the window is open again", CAUGHT_UP, open).await;
        self.socket = socket;
        self.count("unreadCount", &answer["data"]);
    }

    /// Signs in again on the open socket, with a fresh token.
    pub(crate) async fn renews(&mut self, access: &str) -> Value {
        access.clone_into(&mut self.access);
        let answer = self.socket.sign_in(access, None).await.expect("a good token signs in");
        assert_eq!(answer["event"], "AUTH_OK", "{answer}");
        self.count("unreadCount", &answer["data"]);
        answer["data"].clone()
    }

    /// Asks for something that needs no more than `ack`.
    pub(crate) async fn does(&mut self, event: &str, data: Value) {
        let answer = self.asks(event, data).await;
        assert_eq!(answer["event"], "ack", "{answer}");
    }

    /// Asks for something; gives the frame that answers.
    pub(crate) async fn asks(&mut self, event: &str, data: Value) -> Value {
        let answer = self.socket.ask(event, &data).await;
        answer.unwrap_or_else(|code| panic!("`{event}` closed the socket: {code}"))
    }

    /// Takes in all that it was told up to now: an answer comes behind it.
    pub(crate) async fn takes_in_all(&mut self) {
        let pong = self.asks("ping", Value::Null).await;
        assert_eq!(pong["event"], "pong", "{pong}");
        while let Some(frame) = self.socket.told() {
            self.take(&frame);
        }
    }

    /// Waits for the next notification.
    pub(crate) async fn is_told(&mut self) -> Value {
        self.learns("notification:new").await
    }

    /// Waits for the next frame of this event and takes in what comes before; gives its data.
    pub(crate) async fn learns(&mut self, event: &str) -> Value {
        let learned = timeout(SOON, async {
            loop {
                match self.hear().await {
                    Ok(frame) if frame["event"] == event => return frame["data"].clone(),
                    Ok(_) => {}
                    Err(code) => panic!("closed with {code} and no `{event}`"),
                }
            }
        });
        learned.await.unwrap_or_else(|_| panic!("not within {SOON:?}: `{event}`"))
    }

    /// Waits until it has been told everything up to this `seq`, opening again wherever it is closed.
    pub(crate) async fn reaches(&mut self, seq: u64) {
        let reached = timeout(CAUGHT_UP, async {
            while self.seq < seq {
                if self.hear().await.is_err() {
                    self.open_again().await;
                }
            }
        });
        let reached = reached.await;
        assert!(reached.is_ok(), "not within {CAUGHT_UP:?}: {seq}; it knows of {}", self.seq);
    }

    /// Waits until it is closed; gives the code.
    pub(crate) async fn closes(&mut self, within: Duration) -> u16 {
        let closed = timeout(within, async {
            loop {
                if let Err(code) = self.hear().await {
                    return code;
                }
            }
        });
        closed.await.unwrap_or_else(|_| panic!("not closed within {within:?}"))
    }

    /// Closes it.
    pub(crate) async fn leave(&mut self) {
        self.socket.leave().await;
    }

    /// What it counts, as `GET /notifications/unread-count` says it.
    pub(crate) fn counts(&self) -> Value {
        json!({"count": self.unread, "revision": self.revision})
    }

    async fn hear(&mut self) -> Result<Value, u16> {
        let frame = self.socket.hear().await?;
        self.take(&frame);
        Ok(frame)
    }

    fn take(&mut self, frame: &Value) {
        let data = &frame["data"];
        match frame["event"].as_str().unwrap_or_default() {
            "notification:new" => {
                assert_eq!(number(&data["seq"]), self.seq + 1, "lost, twice or out of order: {frame}");
                self.seq += 1;
                self.shown.push(data.clone());
                self.count("unreadCount", data);
            }
            "notification:read" => self.count("unreadCount", data),
            "notification:unread-count" => self.count("count", data),
            "reset" | "error" => panic!("there was no reason for {frame}"),
            _ => {}
        }
    }

    /// Counts are absolute: the newest replaces what is shown.
    fn count(&mut self, name: &str, data: &Value) {
        let revision = number(&data["revision"]);
        if revision >= self.revision {
            (self.unread, self.revision) = (number(&data[name]), revision);
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}
