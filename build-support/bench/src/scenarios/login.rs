//! Sign-ins by password at full tilt, beside the rate at which the same cores hash and do nothing else.

use super::World;
use super::turns::Requests;
use crate::cpu::LOAD;
use crate::load::{Span, drive};
use crate::people::Person;
use crate::report::{Aim, Report};
use crate::{Failure, bare, wire};

const IN_FLIGHT: usize = 16;
const SHARE_MIN: f64 = 0.85;

/// Measures it.
pub async fn measure(world: &mut World, report: &mut Report) -> Result<(), Failure> {
    let Span { measured, .. } = world.span;
    world.wait_for_quiet().await?;
    // Before and after: the machine may be another one by then.
    let before = bare::hash_passwords(measured / 2)?;
    let logins = drive(callers(world, IN_FLIGHT).await?, world.span).await?;
    world.wait_for_quiet().await?;
    let after = bare::hash_passwords(measured / 2)?;
    report.bare("argon2id and nothing else, before", &before, None);
    report.row("`POST /auth/login`", &logins);
    report.bare("argon2id and nothing else, after", &after, None);
    let bare_rate = f64::midpoint(before.rate(), after.rate());
    report.aim(Aim::at_least("sign-ins beside bare hashes", logins.rate() / bare_rate, SHARE_MIN));
    let hash_micros =
        f64::midpoint(before.micros(LOAD).unwrap_or_default(), after.micros(LOAD).unwrap_or_default());
    report.aim(Aim::none(
        "CPU of a bare hash beside that of a whole sign-in",
        hash_micros / logins.micros_in_all(),
    ));
    Ok(())
}

/// This many who sign people in, in turn.
pub async fn callers(world: &World, count: usize) -> Result<Vec<Requests>, Failure> {
    let request = |person: &Person| {
        wire::post("/auth/login", &[("x-forwarded-for", &person.network)], &person.credentials)
    };
    Requests::callers(world.platform.edge, world.people.iter().map(request).collect(), count).await
}
