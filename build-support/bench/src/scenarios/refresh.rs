//! Refreshes: each caller goes on with the sessions of several people in turn, every token changed for its
//! successor.

use std::net::SocketAddr;

use super::{IN_FLIGHT, World};
use crate::Failure;
use crate::load::{Caller, drive};
use crate::people::{Person, Tokens};
use crate::report::{Aim, Report};
use crate::wire::{self, Connection};

const RATE_MIN: f64 = 1_500.0;

/// Measures it.
pub async fn measure(world: &mut World, report: &mut Report) -> Result<(), Failure> {
    world.wait_for_quiet().await?;
    let refreshes = drive(callers(world).await?, world.span).await?;
    report.row("`POST /auth/refresh`", &refreshes);
    report.aim(Aim::at_least("refreshes a second", refreshes.rate(), RATE_MIN));
    Ok(())
}

/// Goes on with sessions.
struct Refreshes {
    connection: Connection,
    people: Vec<Person>,
    next: usize,
}

/// The people are handed over: nobody else may hold a token that changes.
async fn callers(world: &mut World) -> Result<Vec<Refreshes>, Failure> {
    let edge: SocketAddr = world.platform.edge;
    let mut callers = Vec::new();
    for _ in 0..IN_FLIGHT {
        callers.push(Refreshes { connection: Connection::open(edge).await?, people: Vec::new(), next: 0 });
    }
    for (number, person) in world.people.drain(..).enumerate() {
        if let Some(caller) = callers.get_mut(number % IN_FLIGHT) {
            caller.people.push(person);
        }
    }
    Ok(callers)
}

impl Caller for Refreshes {
    async fn call(&mut self) -> Result<(), Failure> {
        let turn = self.next.checked_rem(self.people.len()).ok_or("there is nobody to call for")?;
        self.next += 1;
        let person = self.people.get_mut(turn).ok_or("somebody went away")?;
        let body = format!(r#"{{"refreshToken":"{}"}}"#, person.tokens.refresh_token);
        let request = wire::post("/auth/refresh", &[("x-forwarded-for", &person.network)], &body);
        let answer = self.connection.demand(&request, 200).await?;
        person.tokens = serde_json::from_slice::<Tokens>(answer)?;
        Ok(())
    }
}
