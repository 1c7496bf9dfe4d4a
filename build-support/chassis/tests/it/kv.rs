//! One suite for both key-value stores: what holds on one holds on the other.

use std::time::Duration;

use chassis::kv::{Bucket, CodeKeys, IssueCode, IssueOutcome, TryOutcome};
use chassis::{Clock, Ids, Kv};
use testkit::redis::Redis;

const MINUTE: Duration = Duration::from_mins(1);

/// Short enough to wait for on a real server.
const BLINK: Duration = Duration::from_millis(50);

/// A store, how its time passes, and keys nobody else uses.
struct World {
    kv: Kv,
    clock: Clock,
    _redis: Option<Redis>,
}

impl World {
    async fn both() -> [World; 2] {
        let redis = Redis::start();
        let clock = Clock::manual(Clock::system().now());
        [
            World { kv: Kv::memory(clock.clone()), clock: clock.clone(), _redis: None },
            World { kv: Kv::connect(&redis.url().into()).await.unwrap(), clock, _redis: Some(redis) },
        ]
    }

    fn key(name: &str) -> String {
        format!("{name}:{{{}}}", Ids::random().uuid(Clock::system().now()))
    }

    /// Lets time pass until `there` is no longer so: at once by the manual clock, soon on a server.
    async fn until_gone(&self, key: &str) {
        self.clock.advance(BLINK);
        while self.kv.get(key).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Runs one story on each store.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $story() {
            for world in World::both().await {
                stories::$story(&world).await;
            }
        }
    )+};
}

on_both!(
    a_value_is_there_until_its_time_is_up,
    only_the_first_sets_what_is_absent,
    a_swap_needs_the_expected_value,
    an_older_revision_never_overwrites_a_newer_one,
    many_keys_come_in_their_order,
    of_several_deleters_one_is_told,
    a_limit_lets_a_burst_through_and_then_refuses,
    a_refusal_by_one_bucket_charges_none,
    looking_costs_nothing,
    what_is_given_back_can_be_taken_again,
    giving_back_never_makes_room_beyond_the_limit,
    a_code_matches_once,
    the_code_in_force_can_be_read_without_trying_it,
    wrong_codes_are_counted_and_then_locked,
    a_new_code_voids_the_old_and_waits_for_the_cool_down,
    the_daily_quota_holds,
    many_takers_at_once_share_one_limit,
    many_takers_of_two_buckets_charge_both_alike,
);

mod stories {
    use super::*;

    pub(super) async fn a_value_is_there_until_its_time_is_up(world: &World) {
        let key = World::key("value");
        assert_eq!(world.kv.get(&key).await.unwrap(), None);
        world.kv.set(&key, "ä 1", BLINK).await.unwrap();
        assert_eq!(world.kv.get(&key).await.unwrap().as_deref(), Some("ä 1"));
        world.until_gone(&key).await;
        assert!(!world.kv.delete(&key).await.unwrap());
        world.kv.ping().await.unwrap();
    }

    pub(super) async fn only_the_first_sets_what_is_absent(world: &World) {
        let key = World::key("absent");
        assert!(world.kv.set_if_absent(&key, "first", MINUTE).await.unwrap());
        assert!(!world.kv.set_if_absent(&key, "second", MINUTE).await.unwrap());
        assert_eq!(world.kv.get(&key).await.unwrap().as_deref(), Some("first"));
    }

    pub(super) async fn a_swap_needs_the_expected_value(world: &World) {
        let key = World::key("swap");
        assert!(!world.kv.compare_and_set(&key, "", "x", MINUTE).await.unwrap());
        world.kv.set(&key, "a", MINUTE).await.unwrap();
        assert!(!world.kv.compare_and_set(&key, "b", "c", MINUTE).await.unwrap());
        assert!(world.kv.compare_and_set(&key, "a", "c", MINUTE).await.unwrap());
        assert_eq!(world.kv.get(&key).await.unwrap().as_deref(), Some("c"));
    }

    pub(super) async fn an_older_revision_never_overwrites_a_newer_one(world: &World) {
        let key = World::key("revision");
        assert!(world.kv.set_if_newer(&key, "9 nine", MINUTE).await.unwrap());
        assert!(!world.kv.set_if_newer(&key, "9 again", MINUTE).await.unwrap());
        assert!(!world.kv.set_if_newer(&key, "8", MINUTE).await.unwrap());
        assert!(world.kv.set_if_newer(&key, "10", MINUTE).await.unwrap());
        assert_eq!(world.kv.get(&key).await.unwrap().as_deref(), Some("10"));
        assert!(world.kv.set_if_newer(&key, "no revision", MINUTE).await.is_err());

        world.kv.set(&key, "no revision", MINUTE).await.unwrap();
        assert!(world.kv.set_if_newer(&key, "1", MINUTE).await.unwrap());
    }

    pub(super) async fn many_keys_come_in_their_order(world: &World) {
        let keys: Vec<String> = (0..4).map(|_| World::key("many")).collect();
        world.kv.set(&keys[0], "0", MINUTE).await.unwrap();
        world.kv.set(&keys[2], "2", MINUTE).await.unwrap();
        let values = world.kv.get_many(&keys).await.unwrap();
        assert_eq!(values, [Some("0".to_owned()), None, Some("2".to_owned()), None]);
        assert!(world.kv.get_many(&[]).await.unwrap().is_empty());
    }

    pub(super) async fn of_several_deleters_one_is_told(world: &World) {
        let key = World::key("once");
        world.kv.set(&key, "1", MINUTE).await.unwrap();
        let deleted = futures::future::join_all((0..8).map(|_| world.kv.delete(&key))).await;
        assert_eq!(deleted.into_iter().filter(|deleted| *deleted.as_ref().unwrap()).count(), 1);
    }

    fn bucket(key: &str, limit: u32, cost: u32) -> Bucket {
        Bucket { key: key.to_owned(), limit, window: MINUTE, cost }
    }

    pub(super) async fn a_limit_lets_a_burst_through_and_then_refuses(world: &World) {
        let bucket = bucket(&World::key("burst"), 3, 1);
        for left in (0..3).rev() {
            let take = world.kv.take(std::slice::from_ref(&bucket)).await.unwrap()[0];
            assert!(take.allowed);
            assert_eq!(take.remaining, left);
            assert_eq!(take.retry_after, Duration::ZERO);
        }
        let refused = world.kv.take(std::slice::from_ref(&bucket)).await.unwrap()[0];
        assert!(!refused.allowed);
        assert_eq!(refused.remaining, 0);
        assert!(
            (19..=20)
                .contains(&refused.retry_after.as_secs_f64().round().to_string().parse::<u64>().unwrap())
        );
        assert!(refused.reset_after > Duration::from_secs(58) && refused.reset_after <= MINUTE);
    }

    pub(super) async fn a_refusal_by_one_bucket_charges_none(world: &World) {
        let wide = bucket(&World::key("wide"), 10, 1);
        let narrow = bucket(&World::key("narrow"), 1, 1);
        let both = [wide.clone(), narrow];
        assert!(world.kv.take(&both).await.unwrap().iter().all(|take| take.allowed));
        for _ in 0..5 {
            let takes = world.kv.take(&both).await.unwrap();
            assert_eq!((takes[0].allowed, takes[1].allowed), (true, false));
        }
        let after = world.kv.take(&[Bucket { cost: 0, ..wide }]).await.unwrap()[0];
        assert_eq!(after.remaining, 9);
    }

    pub(super) async fn looking_costs_nothing(world: &World) {
        let key = World::key("look");
        for _ in 0..3 {
            let look = world.kv.take(&[bucket(&key, 1, 0)]).await.unwrap()[0];
            assert_eq!((look.allowed, look.remaining), (true, 1));
        }
        assert!(world.kv.take(&[bucket(&key, 1, 1)]).await.unwrap()[0].allowed);
        assert!(!world.kv.take(&[bucket(&key, 1, 0)]).await.unwrap()[0].allowed);
    }

    pub(super) async fn many_takers_at_once_share_one_limit(world: &World) {
        let bucket = bucket(&World::key("shared"), 10, 1);
        let takes =
            futures::future::join_all((0..50).map(|_| world.kv.take(std::slice::from_ref(&bucket)))).await;
        let allowed = takes.into_iter().filter(|take| take.as_ref().unwrap()[0].allowed).count();
        assert_eq!(allowed, 10);
    }

    pub(super) async fn many_takers_of_two_buckets_charge_both_alike(world: &World) {
        let both = [bucket(&World::key("wide"), 100, 1), bucket(&World::key("narrow"), 10, 1)];
        let takes = futures::future::join_all((0..50).map(|_| world.kv.take(&both))).await;
        let allowed =
            takes.into_iter().filter(|takes| takes.as_ref().unwrap().iter().all(|take| take.allowed));
        assert_eq!(allowed.count(), 10);
        let [wide, _] = both;
        let after = world.kv.take(&[Bucket { cost: 0, ..wide }]).await.unwrap()[0];
        assert!((90..=91).contains(&after.remaining), "{after:?}");
    }

    pub(super) async fn what_is_given_back_can_be_taken_again(world: &World) {
        let buckets = [bucket(&World::key("one"), 2, 1), bucket(&World::key("other"), 3, 2)];
        for _ in 0..5 {
            assert!(world.kv.take(&buckets).await.unwrap().iter().all(|take| take.allowed));
            world.kv.give_back(&buckets).await.unwrap();
        }
        let all = [Bucket { cost: 2, ..buckets[0].clone() }, Bucket { cost: 3, ..buckets[1].clone() }];
        assert!(world.kv.take(&all).await.unwrap().iter().all(|take| take.allowed));
        world.kv.give_back(&buckets).await.unwrap();
        let left = world.kv.take(&all.map(|bucket| Bucket { cost: 0, ..bucket })).await.unwrap();
        assert_eq!(left.iter().map(|take| take.remaining).collect::<Vec<_>>(), [1, 2]);
    }

    pub(super) async fn giving_back_never_makes_room_beyond_the_limit(world: &World) {
        let bucket = bucket(&World::key("empty"), 2, 1);
        let one = std::slice::from_ref(&bucket);
        world.kv.take(one).await.unwrap();
        for _ in 0..3 {
            world.kv.give_back(one).await.unwrap();
        }
        world.kv.give_back(&[]).await.unwrap();
        for expected in [true, true, false] {
            assert_eq!(world.kv.take(one).await.unwrap()[0].allowed, expected);
        }
    }

    fn code_keys() -> CodeKeys {
        let tag = World::key("otp");
        let key = |name: &str| format!("{name}:{tag}");
        CodeKeys {
            code: key("code"),
            lock: key("lock"),
            cooldown: key("cooldown"),
            daily: key("daily"),
            session: key("session"),
        }
    }

    fn issue<'a>(keys: &'a CodeKeys, record: &'a str, cooldown: Duration) -> IssueCode<'a> {
        IssueCode { keys, record, ttl: MINUTE, cooldown, daily_max: 3 }
    }

    pub(super) async fn a_code_matches_once(world: &World) {
        let keys = code_keys();
        assert_eq!(world.kv.try_code(&keys, "h", 3, MINUTE).await.unwrap(), TryOutcome::Missing);
        assert_eq!(
            world.kv.issue_code(issue(&keys, "h the rest", MINUTE)).await.unwrap(),
            IssueOutcome::Issued
        );
        assert_eq!(
            world.kv.try_code(&keys, "h", 3, MINUTE).await.unwrap(),
            TryOutcome::Matched("the rest".to_owned())
        );
        assert_eq!(world.kv.try_code(&keys, "h", 3, MINUTE).await.unwrap(), TryOutcome::Missing);
    }

    pub(super) async fn the_code_in_force_can_be_read_without_trying_it(world: &World) {
        let keys = code_keys();
        assert_eq!(world.kv.code_in_force(&keys).await.unwrap(), None);
        world.kv.issue_code(issue(&keys, "h the rest", MINUTE)).await.unwrap();
        world.kv.try_code(&keys, "x", 3, MINUTE).await.unwrap();
        assert_eq!(world.kv.code_in_force(&keys).await.unwrap().as_deref(), Some("h the rest"));
        world.kv.try_code(&keys, "h", 3, MINUTE).await.unwrap();
        assert_eq!(world.kv.code_in_force(&keys).await.unwrap(), None);
    }

    pub(super) async fn wrong_codes_are_counted_and_then_locked(world: &World) {
        let keys = code_keys();
        world.kv.issue_code(issue(&keys, "h", Duration::ZERO)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(world.kv.try_code(&keys, "x", 3, MINUTE).await.unwrap(), TryOutcome::Wrong);
        }
        assert_eq!(world.kv.try_code(&keys, "x", 3, MINUTE).await.unwrap(), TryOutcome::Locked(MINUTE));
        assert!(matches!(world.kv.try_code(&keys, "h", 3, MINUTE).await.unwrap(), TryOutcome::Locked(_)));
        let again = world.kv.issue_code(issue(&keys, "h", Duration::ZERO)).await.unwrap();
        assert!(matches!(again, IssueOutcome::Locked(left) if left <= MINUTE));
    }

    pub(super) async fn a_new_code_voids_the_old_and_waits_for_the_cool_down(world: &World) {
        let keys = code_keys();
        world.kv.issue_code(issue(&keys, "old", BLINK)).await.unwrap();
        let early = world.kv.issue_code(issue(&keys, "new", BLINK)).await.unwrap();
        assert!(matches!(early, IssueOutcome::CoolingDown(left) if left <= BLINK));
        world.until_gone(&keys.cooldown).await;
        assert_eq!(world.kv.issue_code(issue(&keys, "new", BLINK)).await.unwrap(), IssueOutcome::Issued);
        assert_eq!(world.kv.try_code(&keys, "old", 3, MINUTE).await.unwrap(), TryOutcome::Wrong);
        assert_eq!(
            world.kv.try_code(&keys, "new", 3, MINUTE).await.unwrap(),
            TryOutcome::Matched(String::new())
        );
    }

    pub(super) async fn the_daily_quota_holds(world: &World) {
        let keys = code_keys();
        for _ in 0..3 {
            assert_eq!(
                world.kv.issue_code(issue(&keys, "h", Duration::ZERO)).await.unwrap(),
                IssueOutcome::Issued
            );
        }
        let over = world.kv.issue_code(issue(&keys, "h", Duration::ZERO)).await.unwrap();
        assert!(matches!(over, IssueOutcome::OverQuota(left) if left > Duration::from_hours(23)));
    }
}
