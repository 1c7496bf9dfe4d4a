//! The protocol as a state machine: people's changes, readers, the durable job, crashes and a store that
//! forgets, in any order, against a database that fits on a page.

mod world;

use proptest::prelude::*;

use world::{SESSIONS, World};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody is about to end a session, or to change the user's rights (`None`).
    Begin {
        ends: Option<usize>,
        store: Reach,
    },
    Commit(usize),
    Publish(usize, Reach),
    /// Whoever committed is gone before it published.
    Crash(usize),
    /// A reader misses a session's record, or the user's version.
    Hold(usize),
    Look(usize),
    Fill(usize),
    RunJob(usize),
    SettleJob(usize),
    Empty,
    Wait(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Near,
    Away,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let reach = || prop_oneof![5 => Just(Reach::Near), 1 => Just(Reach::Away)];
    let ends = prop::option::of(0..SESSIONS);
    let step = prop_oneof![
        4 => (ends, reach()).prop_map(|(ends, store)| Step::Begin { ends, store }),
        4 => (0..3_usize).prop_map(Step::Commit),
        3 => (0..3_usize, reach()).prop_map(|(which, store)| Step::Publish(which, store)),
        1 => (0..3_usize).prop_map(Step::Crash),
        5 => (0..=SESSIONS).prop_map(Step::Hold),
        5 => (0..3_usize).prop_map(Step::Look),
        5 => (0..3_usize).prop_map(Step::Fill),
        2 => (0..3_usize).prop_map(Step::RunJob),
        2 => (0..3_usize).prop_map(Step::SettleJob),
        1 => Just(Step::Empty),
        2 => (1..20_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_record_says_more_than_the_database_for_longer_than_a_lost_fence_allows(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.take(step).await;
                world.judge().await;
            }
            world.settle().await;
        });
    }
}
