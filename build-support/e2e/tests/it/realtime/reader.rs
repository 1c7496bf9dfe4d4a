//! Who is told and who tells: a person with an inbox, and the administrator who sends something there.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Reply;

use crate::world::{Person, Tokens, Window, World, eventually};

/// The welcome comes behind the mail that it goes with.
const WELCOMED: Duration = Duration::from_secs(20);

/// Somebody with an inbox, signed in.
pub(super) struct Reader {
    pub(super) person: Person,
    pub(super) tokens: Tokens,
    pub(super) id: String,
}

impl Reader {
    /// Somebody who has just signed up and in.
    pub(super) async fn signed_in(world: &World, name: &str) -> Reader {
        let person = Person::signed_up(world, name).await;
        let tokens = person.login().await;
        let me = person.me(&tokens.access).await.expect(200);
        let id = me.body["id"].as_str().unwrap().to_owned();
        Reader { person, tokens, id }
    }

    /// The same, later: nothing is under way to them.
    pub(super) async fn settled(world: &World, name: &str) -> Reader {
        let reader = Reader::signed_in(world, name).await;
        reader.is_welcomed().await;
        reader
    }

    /// Waits for the welcome, which is the first thing anybody is told.
    pub(super) async fn is_welcomed(&self) -> Value {
        let look = async || self.list().await.pop();
        eventually("the welcome is in the list", WELCOMED, look).await
    }

    /// What is in the inbox, the newest first.
    pub(super) async fn list(&self) -> Vec<Value> {
        let list = self.get("/notifications?limit=100").await.expect(200);
        list.body["items"].as_array().unwrap().clone()
    }

    /// How many are unread, and the revision.
    pub(super) async fn unread_count(&self) -> Value {
        self.get("/notifications/unread-count").await.expect(200).body
    }

    /// A window at the edge that everybody knows.
    pub(super) async fn window(&self, world: &World) -> Window {
        Window::open(&world.edge_address(), &self.tokens.access).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.person.edge.get(path).bearer(&self.tokens.access).send().await
    }
}

/// The administrator.
pub(super) struct Sender {
    pub(super) person: Person,
    pub(super) tokens: Tokens,
}

impl Sender {
    pub(super) async fn signed_in(world: &World) -> Sender {
        let person = Person::administrator(world);
        let tokens = person.login().await;
        Sender { person, tokens }
    }

    /// Tells somebody something.
    pub(super) async fn tell(&self, reader: &Reader, title: &str) -> Reply {
        self.send(&note(reader, title)).await
    }

    /// Sends what may be refused.
    pub(super) async fn send(&self, note: &Value) -> Reply {
        self.person.post("/admin/notifications", &self.tokens.access, note).await
    }

    /// Sends what may not get anywhere.
    pub(super) async fn try_send(&self, note: &Value) -> Result<Reply, String> {
        let call = self.person.edge.post("/admin/notifications").bearer(&self.tokens.access);
        call.json(note).try_send().await
    }
}

/// Something to tell somebody, in words of its own.
pub(super) fn note(reader: &Reader, title: &str) -> Value {
    json!({
        "userIds": [reader.id],
        "type": "kitchen.news",
        "title": title,
        "body": "Come to the table.",
        "data": {"table": 7},
    })
}

/// The titles of notifications.
pub(super) fn titles(notifications: &[Value]) -> Vec<&str> {
    notifications.iter().map(|notification| notification["title"].as_str().unwrap()).collect()
}
