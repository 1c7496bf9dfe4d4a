//! auth from outside: as the gateway and notify reach it, over real mutual TLS, on both databases.
#![expect(clippy::unwrap_used, reason = "a world that cannot be built is a failed test")]

mod notify;
mod people;
mod process;
mod store;
mod voices;
mod world;

mod codes;
mod keys;
mod kills;
mod outages;
mod passwords;
mod profiles;
mod recovering;
mod refreshing;
mod registering;
mod rights;
mod secrecy;
mod sessions;
mod signing_in;
mod signing_out;
mod starting;
mod storm;
mod tenants;
mod tokens;
