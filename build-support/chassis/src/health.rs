//! The operations server: is the process alive, is it ready and if not why, and its metrics.
//!
//! It listens inside only; what it says of a dependency is for operators.

mod report;
mod server;

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::net::TcpListener;

use crate::Lifecycle;
use report::{Check, Readiness};

/// How often samples are folded while nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the operations server of one service answers.
pub struct Ops {
    service: &'static str,
    checks: Vec<Check>,
}

impl Ops {
    /// A server that is ready as long as no check says otherwise.
    pub fn new(service: &'static str) -> Ops {
        Ops { service, checks: Vec::new() }
    }

    /// Adds a dependency to readiness. A check may take 1 s, and its result serves for another second.
    #[must_use]
    pub fn check<F, Fut>(mut self, name: &'static str, check: F) -> Ops
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run = Box::new(move || -> BoxFuture<'static, Result<(), String>> { Box::pin(check()) });
        self.checks.push(Check { name, run });
        self
    }

    /// Serves `/livez`, `/readyz` and `/metrics` until the very end: while the process drains, readiness
    /// is red and everything still answers.
    pub fn serve(self, listener: TcpListener, life: &Lifecycle) {
        let readiness = Readiness::new(self.service, self.checks, life.clone());
        life.spawn_until_end(async move {
            let upkeep = async {
                loop {
                    tokio::time::sleep(UPKEEP).await;
                    crate::metrics::upkeep();
                }
            };
            tokio::join!(server::serve(listener, readiness), upkeep);
        });
    }
}
