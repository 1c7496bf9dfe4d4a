//! The platform as its users have it: processes, found by their addresses, judged by their answers and mails.
//!
//! A story is told on every way to stand, see [`world::Stand`]; what needs a fault that only some of them
//! can have is told where it can happen. Every story has a world of its own, and waits for what it expects
//! and never for a time.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a world that cannot be built, and an answer that is not as it should be, is a failed test"
)]

/// Tells stories on every way to stand: for each a test of the same name in each module. `with` names
/// settings beside those of every world.
macro_rules! everywhere {
    (with $settings:tt; $($story:ident),+ $(,)?) => {
        everywhere!(@on embedded Embedded $settings $($story)+);
        everywhere!(@on one_process OneProcess $settings $($story)+);
        everywhere!(@on three_processes ThreeProcesses $settings $($story)+);
    };
    (@on $module:ident $stand:ident $settings:tt $($story:ident)+) => {
        mod $module {
            $(#[tokio::test]
            async fn $story() {
                let world = crate::world::World::with(crate::world::Stand::$stand, &$settings).await;
                super::$story(&world).await;
            })+
        }
    };
    ($($story:ident),+ $(,)?) => {
        everywhere!(with []; $($story),+);
    };
}

mod crashes;
mod day;
mod judge;
mod mesh_door;
mod minute;
mod outages;
mod password;
mod probe;
mod realtime;
mod refusals;
mod rights;
mod secrets;
mod sessions;
mod start;
mod tokens;
mod world;
