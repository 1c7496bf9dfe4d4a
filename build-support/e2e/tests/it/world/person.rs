//! A person with an address and a password, and what they do every day.

use serde_json::{Value, json};
use testkit::http::Reply;
use testkit::mail::Mail;

use crate::judge::Judge;

use super::{ADMIN_EMAIL, ADMIN_PASSWORD, Visitor, World};

/// What the verification mail is called.
pub(crate) const CONFIRM: &str = "Confirm your e-mail address";

/// Somebody who uses the platform from a place of their own.
pub(crate) struct Person {
    pub(crate) edge: Visitor,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// What a signed-in client holds.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    /// The tokens of a successful answer.
    pub(crate) fn of(reply: Reply) -> Tokens {
        let body = reply.expect(200).body;
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
        Tokens { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

impl Person {
    /// Somebody who has never been here.
    pub(crate) fn named(world: &World, name: &str) -> Person {
        Person {
            edge: world.edge.another(),
            email: format!("{name}@example.org"),
            password: format!("{name} keeps a long secret"),
        }
    }

    /// The first administrator.
    pub(crate) fn administrator(world: &World) -> Person {
        let edge = world.edge.another();
        Person { edge, email: ADMIN_EMAIL.to_owned(), password: ADMIN_PASSWORD.to_owned() }
    }

    /// Somebody who has registered and verified.
    pub(crate) async fn signed_up(world: &World, name: &str) -> Person {
        let person = Person::named(world, name);
        person.register(&json!({})).await.is(202);
        let mail = person.confirmation(world).await;
        let token = mail.token("/auth/verify-email").unwrap();
        person.edge.post("/auth/verify-email").json(json!({"token": token})).send().await.is(200);
        person
    }

    /// Registers, saying this of themselves too.
    pub(crate) async fn register(&self, more: &Value) -> Reply {
        let mut wish = json!({"email": self.email, "password": self.password});
        let more = more.as_object().expect("what is said is an object").clone();
        wish.as_object_mut().unwrap().extend(more);
        self.edge.post("/auth/register").json(wish).send().await
    }

    /// The mail that asks to confirm the address.
    pub(crate) async fn confirmation(&self, world: &World) -> Mail {
        world.mails.arrives(&self.email, CONFIRM).await
    }

    pub(crate) async fn login(&self) -> Tokens {
        Tokens::of(self.try_login(&self.password).await)
    }

    pub(crate) async fn try_login(&self, password: &str) -> Reply {
        let attempt = json!({"email": self.email, "password": password});
        self.edge.post("/auth/login").json(attempt).send().await
    }

    /// Reads the profile with this access token.
    pub(crate) async fn me(&self, access: &str) -> Reply {
        self.edge.get("/me").bearer(access).send().await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.edge.post("/auth/refresh").json(json!({"refreshToken": token})).send().await
    }

    /// Posts something as whoever holds this access token.
    pub(crate) async fn post(&self, path: &str, access: &str, body: &Value) -> Reply {
        self.edge.post(path).bearer(access).json(body).send().await
    }
}
