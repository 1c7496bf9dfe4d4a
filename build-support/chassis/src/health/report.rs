//! Readiness: every dependency asked at once, with a bound, and not more than once a second.

use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::Lifecycle;

const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
const CACHED: Duration = Duration::from_secs(1);

pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) run: Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

pub(super) struct Readiness {
    service: &'static str,
    checks: Vec<Check>,
    life: Lifecycle,
    last: Mutex<Option<(Instant, Findings)>>,
}

#[derive(Clone)]
struct Findings {
    ready: bool,
    checks: Map<String, Value>,
}

impl Readiness {
    pub(super) fn new(service: &'static str, checks: Vec<Check>, life: Lifecycle) -> Readiness {
        Readiness { service, checks, life, last: Mutex::new(None) }
    }

    /// Whether the service is ready, and the document that says why.
    pub(super) async fn report(&self) -> (bool, Value) {
        let Findings { ready, checks } = self.findings().await;
        let draining = self.life.is_draining();
        let ready = ready && !draining;
        (ready, json!({ "service": self.service, "ready": ready, "draining": draining, "checks": checks }))
    }

    /// Who comes while the dependencies are being asked waits for that answer.
    async fn findings(&self) -> Findings {
        let mut last = self.last.lock().await;
        if let Some((when, findings)) = last.as_ref()
            && when.elapsed() < CACHED
        {
            return findings.clone();
        }
        let findings = self.ask().await;
        *last = Some((Instant::now(), findings.clone()));
        findings
    }

    async fn ask(&self) -> Findings {
        let answers = join_all(self.checks.iter().map(|check| async {
            let answer = tokio::time::timeout(CHECK_TIMEOUT, (check.run)()).await;
            (check.name, answer.unwrap_or_else(|_| Err("no answer within 1 s".to_owned())))
        }))
        .await;
        let ready = answers.iter().all(|(_, answer)| answer.is_ok());
        let checks = answers.into_iter().map(|(name, answer)| {
            let finding = match answer {
                Ok(()) => json!({ "ok": true }),
                Err(problem) => json!({ "ok": false, "problem": problem }),
            };
            (name.to_owned(), finding)
        });
        Findings { ready, checks: checks.collect() }
    }
}
