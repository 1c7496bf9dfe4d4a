//! Chassis from outside, and against real stores: a Redis and a NATS server, PostgreSQL databases, SQLite files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod config;
mod database;
mod fanout;
mod fanout_outage;
mod health;
mod kv;
mod kv_outage;
mod telemetry;
