//! What is measured, and beside what: a file a scenario. How load is made and how a report looks is not
//! known here.

pub mod login;
pub mod me;
pub mod refresh;
pub mod sockets;
mod turns;

use std::time::Duration;

use tokio::time::{self, Instant};

use crate::Failure;
use crate::cpu::Reading;
use crate::load::Span;
use crate::people::Person;
use crate::platform::Platform;

/// How many calls are under way, except where said otherwise.
const IN_FLIGHT: usize = 32;

/// Less than this share of a core is quiet.
const QUIET_SHARE: f64 = 0.05;
const QUIET_GLANCE: Duration = Duration::from_millis(500);
/// Mails of a thousand registrations are out by then.
const QUIET_PATIENCE: Duration = Duration::from_mins(1);

/// What every scenario finds.
pub struct World {
    /// The platform.
    pub platform: Platform,
    /// Who is signed in.
    pub people: Vec<Person>,
    /// How long is measured.
    pub span: Span,
}

impl World {
    /// Waits until what was set off before has been done.
    async fn wait_for_quiet(&self) -> Result<(), Failure> {
        let patience = Instant::now() + QUIET_PATIENCE;
        let mut before = Reading::take()?;
        while Instant::now() < patience {
            time::sleep(QUIET_GLANCE).await;
            let now = Reading::take()?;
            let spent = now.since(&before);
            if spent.by_all().as_secs_f64() < spent.elapsed.as_secs_f64() * QUIET_SHARE {
                return Ok(());
            }
            before = now;
        }
        Err("the platform did not come to rest".into())
    }
}
