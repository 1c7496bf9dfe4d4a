//! Sockets: a person's open windows, told at once what happened and able to say that it was read.
//!
//! The life of a socket, in order:
//!
//! 1. [`handshake`]: `GET /ws` becomes a socket, where its origin ([`origins`]) is known and the gateway
//!    has room for it. From here on it is in the [`register`] and has a [`connection`], which is its one task.
//! 2. [`asks`] and [`answers`]: its first frame is `AUTH`. The token is judged as for every request, at
//!    a bounded [`pace`]; then the [`hub`] finds the [`person`], who begins to live with the first socket.
//! 3. [`person`]: subscribes to the person's subject, then reads the [`inbox`], then greets the socket
//!    with `AUTH_OK` and what it missed since it was last there. From then on pushes are told in order,
//!    each once; they are printed once ([`frames`]) and shared by all sockets of the person.
//! 4. [`outbox`]: what is told waits there, bounded, until the connection has written it. A reader that
//!    is too slow is told to start over, then closed. [`manners`] bound what comes the other way.
//! 5. [`catch_up`]: every half minute, and after the broker was away, people are compared with the
//!    database: whatever got lost on the way is told after all.
//! 6. [`revocation`]: twice a second the sessions of all sockets are looked up: one that has ended takes
//!    its sockets along, whatever else is down. A token's own end is watched by the connection's timer,
//!    unless `AUTH` comes again.
//! 7. [`drain`]: when the process ends, all are told to reconnect elsewhere. [`close`] lists the other
//!    ways to go.

mod answers;
mod asks;
mod catch_up;
mod close;
mod connection;
mod drain;
mod frames;
mod handshake;
mod hub;
mod inbox;
mod manners;
mod origins;
mod outbox;
mod pace;
mod person;
mod register;
mod revocation;
mod socket;

use std::sync::{Arc, Mutex};

use chassis::fanout::Fanout;
use chassis::{Clock, Ids, Kv, Lifecycle};
use mesh::Channel;
use tracing::Span;

use crate::accept::addresses::Addresses;
use crate::config::SocketBounds;
use crate::guard::authenticate::Authenticator;
use asks::Asks;
use frames::Frames;
use hub::Hub;
use inbox::Inbox;
use origins::Origins;
use pace::Pace;
use register::Register;
use revocation::Doubts;

/// What sockets are given.
pub struct Parts {
    /// Judges tokens.
    pub authenticator: Arc<Authenticator>,
    /// Where notify is.
    pub notify: Channel,
    /// Where pushes come from.
    pub fanout: Fanout,
    /// The published access state.
    pub kv: Kv,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// The life of the process.
    pub lifecycle: Lifecycle,
}

/// The sockets of this gateway.
pub struct Sockets {
    authenticator: Arc<Authenticator>,
    hub: Arc<Hub>,
    asks: Asks,
    origins: Origins,
    bounds: SocketBounds,
    addresses: Addresses,
    pace: Pace,
    register: Register,
    doubts: Doubts,
    kv: Kv,
    clock: Clock,
    lifecycle: Lifecycle,
}

impl Sockets {
    /// Compiles what sockets say. Browsers may open them from the origin of `public_url` and from
    /// `origins`. Fails, saying why, where the contracts lack a frame.
    pub fn new(
        parts: Parts,
        bounds: SocketBounds,
        public_url: &str,
        origins: &[String],
    ) -> Result<Self, String> {
        let hub = Hub {
            fanout: parts.fanout,
            inbox: Inbox::new(parts.notify),
            frames: Frames::compile()?,
            ids: parts.ids,
            sockets_max: bounds.per_user_max,
            pushes: metrics::counter!("platform_edge_socket_pushes_total"),
            lifecycle: parts.lifecycle.clone(),
            span: Span::current(),
            people: Mutex::default(),
        };
        Ok(Self {
            authenticator: parts.authenticator,
            hub: Arc::new(hub),
            asks: Asks::compile()?,
            origins: Origins::new(public_url, origins),
            bounds,
            addresses: Addresses::new(bounds.per_address_max),
            pace: Pace::per_second(bounds.sign_ins_per_second),
            register: Register::default(),
            doubts: Doubts::default(),
            kv: parts.kv,
            clock: parts.clock,
            lifecycle: parts.lifecycle,
        })
    }

    /// Starts what sockets need that nobody asks for.
    pub fn run(self: &Arc<Self>) {
        self.keep_caught_up();
        self.watch_sessions();
        self.drain_at_end();
    }
}
