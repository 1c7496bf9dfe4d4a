//! The gateway against in-process peers over the real mesh, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a world that cannot be built is a failed test"
)]

mod access;
mod auth;
mod client;
mod contracts;
mod crowd;
mod framing;
mod limits;
mod plugin;
mod refusals;
mod tokens;
mod upstreams;
mod world;
mod ws;
