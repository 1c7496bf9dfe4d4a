//! The mesh over real sockets: who gets in, who may call, what a reload and a fault do to calls.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a world that cannot be built is a failed test")]

mod calls;
mod faults;
mod forge;
mod handshake;
mod passports;
mod reload;
mod world;
