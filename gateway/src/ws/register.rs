//! The sockets that are open here, signed in or not. A socket's place is given back when its connection
//! is, whatever became of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Sockets;
use super::hub::Command;
use super::socket::Socket;
use crate::accept::addresses::Seat;
use crate::guard::facts::Facts;

/// The open sockets by their number.
#[derive(Default)]
pub(super) struct Register(Mutex<Open>);

#[derive(Default)]
struct Open {
    numbered: u64,
    sockets: HashMap<u64, Arc<Socket>>,
}

/// A socket's entry; it ends with the value.
pub(super) struct Registered {
    pub(super) sockets: Arc<Sockets>,
    pub(super) socket: Arc<Socket>,
    place: Option<Seat>,
}

impl Register {
    /// How many sockets there are.
    pub(super) fn len(&self) -> usize {
        self.lock().sockets.len()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Socket>> {
        self.lock().sockets.values().cloned().collect()
    }

    fn enter(&self, facts: Facts) -> Arc<Socket> {
        let mut open = self.lock();
        open.numbered += 1;
        let socket = Arc::new(Socket::new(open.numbered, facts));
        open.sockets.insert(socket.number, socket.clone());
        metrics::gauge!("platform_edge_sockets_open").set(count(open.sockets.len()));
        socket
    }

    fn leave(&self, socket: &Socket) {
        let mut open = self.lock();
        open.sockets.remove(&socket.number);
        metrics::gauge!("platform_edge_sockets_open").set(count(open.sockets.len()));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    /// Enters a socket; `place` is what its address has of the places for one.
    pub(super) fn new(sockets: Arc<Sockets>, facts: Facts, place: Option<Seat>) -> Self {
        let socket = sockets.register.enter(facts);
        Self { sockets, socket, place }
    }

    /// Whether the address had a place for it.
    pub(super) fn has_place(&self) -> bool {
        self.place.is_some()
    }

    /// Ends the entry; the address's place is given back by the caller.
    pub(super) fn leave(mut self) -> Option<Seat> {
        self.place.take()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.sockets.register.leave(&self.socket);
        if let Some(signed_in) = self.socket.signed_in() {
            self.sockets.hub.tell(signed_in.user_id, Command::Leave(self.socket.number));
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
