//! The authority, the development identities, the shipped policy, and the command itself.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a world that cannot be built is a failed test")]

mod authority;
mod command;
mod dev;
mod policy;
