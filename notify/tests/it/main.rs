//! notify from outside: events in, mails and notifications out, on both databases, with auth's directory at the other end
//! of the mesh and a mail relay that does as it is told.
#![expect(clippy::unwrap_used, reason = "a world that cannot be built is a failed test")]

mod composing;
mod directory;
mod faults;
mod inbox;
mod interleavings;
mod ownership;
mod passports;
mod people;
mod secrecy;
mod sending;
mod taking;
mod windows;
mod world;
