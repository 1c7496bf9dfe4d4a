//! Pushes: from the broker to the sockets of many people, as fast as they are read and at an even pace.
//! They are published here, as notify does after its commit: what a notification costs in the database is
//! not measured.

mod audience;
mod line;
mod publisher;
mod socket;

use tokio::time::{self, Instant};

use self::audience::Audience;
use self::publisher::Publisher;
use super::World;
use crate::load::{Measured, Span};
use crate::platform::{Database, Hashes, Platform};
use crate::report::{Aim, Report};
use crate::{Failure, cpu, people};

const EDGE: &str = "gateway";

const CORE_RATE_MIN: f64 = 40_000.0;
const PACED_MICROS_MAX: f64 = 40.0;
const SOCKET_KIB_MAX: f64 = 16.0;
const P99_MILLIS_MAX: f64 = 100.0;

/// Measures it with one socket for each of so many people, on a platform of its own: they sign in first,
/// with passwords that cost next to nothing.
pub async fn measure(span: Span, count: u32) -> Result<Report, Failure> {
    eprintln!("── sockets");
    let platform = Platform::start(Database::Postgres, Hashes::Cheap).await?;
    let people = people::gather(platform.edge, usize::try_from(count)?).await?;
    let world = World { platform, people, span };
    let mut report = Report::of("Sockets");

    world.wait_for_quiet().await?;
    let before = held_by_edge()?;
    let (audience, connects) = Audience::gather(&world).await?;
    world.wait_for_quiet().await?;
    let socket_kib = f64::from(held_by_edge()?.saturating_sub(before)) / f64::from(count);
    report.row("open a socket and `AUTH`", &connects);

    let publisher = Publisher::connect(&world.platform.nats_url()).await?;
    let paced = push(&audience, span, publisher.paced(&audience, end(span))).await?;
    report.row("pushes, 2 000 a second", &paced);
    publisher.end_keeping().await?;
    world.wait_for_quiet().await?;
    let fast = push(&audience, span, publisher.as_fast_as_read(&audience, end(span))).await?;
    report.row("pushes, flat out", &fast);

    let micros = |measured: &Measured| measured.micros(EDGE).unwrap_or_default();
    let p99 = |measured: &Measured| measured.percentile(99).as_secs_f64() * 1e3;
    let core_rate = 1e6 / micros(&fast);
    report.aim(Aim::at_least("pushes a second for each core that the edge uses", core_rate, CORE_RATE_MIN));
    let paced_micros = micros(&paced);
    report.aim(Aim::at_most("CPU of the edge for a push at 2 000/s, µs", paced_micros, PACED_MICROS_MAX));
    report.aim(Aim::at_most("p99 from publish to socket, flat out, ms", p99(&fast), P99_MILLIS_MAX));
    report.aim(Aim::at_most("p99 from publish to socket at 2 000/s, ms", p99(&paced), P99_MILLIS_MAX));
    report.aim(Aim::at_most("memory of the edge for a socket, KiB", socket_kib, SOCKET_KIB_MAX));
    report.memory = cpu::resident()?;
    Ok(report)
}

/// Publishes, measures what arrives between the warm-up and the end, and fails unless all arrives.
async fn push(
    audience: &Audience,
    span: Span,
    publishing: impl Future<Output = Result<(), Failure>>,
) -> Result<Measured, Failure> {
    let measuring = async {
        time::sleep(span.warm_up).await;
        audience.measure(span.measured).await
    };
    let (published, measured) = tokio::join!(publishing, measuring);
    audience.wait_for_the_last().await?;
    published?;
    measured
}

/// When a span ends that begins now.
fn end(span: Span) -> Instant {
    Instant::now() + span.warm_up + span.measured
}

/// The memory that the edge holds, in KiB.
fn held_by_edge() -> Result<u32, Failure> {
    cpu::resident()?.get(EDGE).copied().ok_or_else(|| "there is no edge".into())
}
