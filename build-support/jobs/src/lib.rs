//! Durable work: what must happen after a commit is a row written in the same transaction, and a worker
//! that finds it. Outbox, deliveries and schedules are queues of the one table `job`.
//!
//! What this promises, and its tests hold it to:
//!
//! - A job that was committed ends done or dead; the death of a worker only delays it by a lease.
//! - Claiming a job raises its fence, and a verdict is written only under the fence it was claimed with:
//!   a worker that outlived its lease changes nothing.
//! - A handler may run more than once for one job (its worker may die after the effect and before the
//!   verdict), so an effect needs an id that its receiver dedups by.
//!
//! Leases are judged by the worker's clock: clocks further apart than the lease's margin cost a second
//! run, never a second verdict.

mod entity;
mod job;
mod migration;
mod queue;
mod store;
mod worker;

pub use job::{Job, NewJob, Settled, Verdict};
pub use migration::Migration;
pub use queue::{Exhausted, Queue};
pub use store::{Counts, counts, enqueue, purge_finished};
pub use worker::{Handler, Worker};
