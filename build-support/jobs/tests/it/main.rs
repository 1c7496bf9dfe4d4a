//! Jobs from a service's side, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by a panic")]

mod stories;
mod world;
