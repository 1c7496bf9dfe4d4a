//! The line to one person: the pushes that are published for them, and how long each was under way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::Subject;
use bytes::Bytes;
use prost::Message as _;
use prost_types::{Struct, Timestamp, Value, value::Kind};
use proto::notify::push::Told;
use proto::notify::{Notification, NotificationCame, Push};

use super::socket::Greeting;
use crate::Failure;

const NEWS: &[u8] = b"{\"event\":\"notification:new\"";

/// A line.
pub struct Line {
    /// Where it is published.
    pub subject: Subject,
    state: Mutex<State>,
}

struct State {
    user_id: String,
    /// What was published last.
    came: NotificationCame,
    /// When what is under way was published, the oldest first.
    under_way: VecDeque<Instant>,
}

/// What is to be published.
pub struct Published {
    /// Its own id.
    pub id: String,
    /// The message.
    pub payload: Bytes,
}

impl Line {
    /// The line to whoever was greeted so; it goes on where their inbox stands.
    pub fn new(greeting: Greeting) -> Result<Self, Failure> {
        let subject = proto::fanout::user_subject(greeting.user_id.parse()?).into();
        let notification = notification(&greeting);
        let came = NotificationCame {
            notification: Some(notification),
            unread_count: greeting.unread_count,
            revision: greeting.revision,
        };
        let state = State { user_id: greeting.user_id, came, under_way: VecDeque::new() };
        Ok(Self { subject, state: Mutex::new(state) })
    }

    /// The next push, which is to be published now.
    pub fn publish(&self) -> Published {
        let mut state = self.lock();
        state.came.unread_count += 1;
        state.came.revision += 1;
        if let Some(notification) = &mut state.came.notification {
            notification.seq += 1;
        }
        let push = Push {
            id: format!("{}/{}", state.user_id, state.came.revision),
            user_id: state.user_id.clone(),
            told: Some(Told::Came(state.came.clone())),
            occurred_at: Some(Timestamp::default()),
        };
        state.under_way.push_back(Instant::now());
        drop(state);
        let payload = push.encode_to_vec().into();
        Published { id: push.id, payload }
    }

    /// How long that was under way which arrived now: the oldest, as pushes arrive in order.
    pub fn arrived(&self, message: &[u8]) -> Result<Duration, Failure> {
        let published = self.lock().under_way.pop_front();
        match published {
            Some(published) if message.starts_with(NEWS) => Ok(published.elapsed()),
            _ => Err(format!("not a push: {}", String::from_utf8_lossy(message)).into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of about four hundred bytes on the socket.
fn notification(greeting: &Greeting) -> Notification {
    let order = Value { kind: Some(Kind::StringValue(greeting.user_id.clone())) };
    Notification {
        id: greeting.user_id.clone(),
        seq: greeting.seq,
        r#type: "order.shipped".to_owned(),
        title: "Your order is on its way".to_owned(),
        body: "It left our house this morning and should be with you in two or three days.".to_owned(),
        data: Some(Struct { fields: BTreeMap::from([("orderId".to_owned(), order)]) }),
        created_at: Some(Timestamp { seconds: 1_790_000_000, nanos: 123_000_000 }),
        ..Notification::default()
    }
}
