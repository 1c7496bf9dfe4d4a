//! Callers who take from a list in turn, over and over; each begins elsewhere in it, so that no two follow
//! each other around.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::Failure;
use crate::load::Caller;
use crate::wire::Connection;

/// One caller's way through a list.
pub struct Turns<T> {
    list: Arc<[T]>,
    next: usize,
}

impl<T> Turns<T> {
    /// This many ways through a list.
    pub fn of(list: Vec<T>, count: usize) -> impl Iterator<Item = Self> {
        let list: Arc<[T]> = list.into();
        (0..count).map(move |number| Self { list: list.clone(), next: number * list.len() / count })
    }

    /// What comes next; fails where the list is empty.
    pub fn take(&mut self) -> Result<&T, Failure> {
        let index = self.next.checked_rem(self.list.len()).ok_or("there is nobody to call for")?;
        self.next += 1;
        self.list.get(index).ok_or_else(|| "a list became shorter".into())
    }
}

/// Sends requests that were made beforehand, and expects each to succeed.
pub struct Requests {
    connection: Connection,
    turns: Turns<Vec<u8>>,
}

impl Requests {
    /// This many callers, each on a connection of its own.
    pub async fn callers(to: SocketAddr, requests: Vec<Vec<u8>>, count: usize) -> Result<Vec<Self>, Failure> {
        let mut callers = Vec::new();
        for turns in Turns::of(requests, count) {
            callers.push(Self { connection: Connection::open(to).await?, turns });
        }
        Ok(callers)
    }
}

impl Caller for Requests {
    async fn call(&mut self) -> Result<(), Failure> {
        self.connection.demand(self.turns.take()?, 200).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_meets_everything_and_begins_elsewhere() {
        let mut ways: Vec<Turns<u8>> = Turns::of(vec![0, 1, 2, 3], 2).collect();
        let met = ways.iter_mut().map(|way| (0..5).map(|_| *way.take().unwrap()).collect::<Vec<_>>());
        assert_eq!(met.collect::<Vec<_>>(), [[0, 1, 2, 3, 0], [2, 3, 0, 1, 2]]);
        assert!(Turns::<u8>::of(Vec::new(), 1).all(|mut way| way.take().is_err()));
    }
}
