//! The people whose tokens the load carries: registered and signed in over the edge, as anybody is.

use std::net::SocketAddr;

use futures::future::try_join_all;
use serde::Deserialize;

use crate::Failure;
use crate::wire::{self, Connection};

/// How many are registered at a time: fewer than auth's queue of hashes takes.
const AT_A_TIME: usize = 16;

/// A person who is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The address of their network, so that limits by address see many.
    pub network: String,
    /// What signs them in, as JSON.
    pub credentials: String,
    /// Their tokens.
    pub tokens: Tokens,
}

/// What a sign-in or a refresh answers, of which this much matters here.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// Opens methods.
    pub access_token: String,
    /// Changes into the next ones.
    pub refresh_token: String,
}

/// Registers this many people and signs them in.
pub async fn gather(edge: SocketAddr, count: usize) -> Result<Vec<Person>, Failure> {
    let lanes = (0..AT_A_TIME).map(|lane| async move {
        let mut connection = Connection::open(edge).await?;
        let mut people = Vec::new();
        for number in (lane..count).step_by(AT_A_TIME) {
            people.push(welcome(&mut connection, number).await?);
        }
        Ok::<_, Failure>(people)
    });
    Ok(try_join_all(lanes).await?.concat())
}

async fn welcome(connection: &mut Connection, number: usize) -> Result<Person, Failure> {
    let network = format!("10.{}.{}.1", number / 256 % 256, number % 256);
    let credentials =
        serde_json::json!({"email": format!("person-{number}@example.org"), "password": "correct horse battery"})
            .to_string();
    let from = [("x-forwarded-for", network.as_str())];
    connection.demand(&wire::post("/auth/register", &from, &credentials), 202).await?;
    let tokens = connection.demand(&wire::post("/auth/login", &from, &credentials), 200).await?;
    let tokens = serde_json::from_slice(tokens)?;
    Ok(Person { network, credentials, tokens })
}
