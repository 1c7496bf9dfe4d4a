//! The world a test runs in: databases, servers, peers and faults; never in a product binary.
//!
//! Everything here ends with the value that stands for it, and a part of the world that cannot be
//! built fails the test with what to do about it.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a world that cannot be built is a failed test, and the panic is its message"
)]

mod database;
pub mod nats;
pub mod postgres;
mod process;
pub mod program;
pub mod redis;

#[cfg(feature = "peers")]
pub mod http;
#[cfg(feature = "peers")]
pub mod identities;
#[cfg(feature = "peers")]
pub mod mail;
#[cfg(feature = "peers")]
pub mod proxy;
#[cfg(feature = "peers")]
pub mod smtp;
#[cfg(feature = "peers")]
mod task;

pub use database::{Database, databases};
