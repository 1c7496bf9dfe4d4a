//! Chance as an argument: ids, secrets, codes and jitter come from here, so that tests can repeat them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::{digest, rand};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A source of chance: the cryptographic generator of the process, or a repeatable one for tests.
#[derive(Clone, Debug)]
pub struct Ids(Chance);

#[derive(Clone, Debug)]
enum Chance {
    System,
    Seeded { seed: u64, drawn: Arc<AtomicU64> },
}

impl Ids {
    /// Cryptographically strong chance.
    pub fn random() -> Ids {
        Ids(Chance::System)
    }

    /// The same sequence for the same seed. For tests only: everything drawn from it can be foretold.
    pub fn seeded(seed: u64) -> Ids {
        Ids(Chance::Seeded { seed, drawn: Arc::new(AtomicU64::new(0)) })
    }

    /// A `UUIDv7` (RFC 9562) whose time is `now` to the millisecond and whose other 74 bits are chance.
    pub fn uuid(&self, now: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// `N` bytes of chance.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number from 0 to `bound - 1`, each as likely as the other; 0 where `bound` is 0.
    pub fn below(&self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        // What lies past the last whole multiple of `bound` would favour the small numbers: draw again.
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let drawn = u32::from_be_bytes(self.bytes());
            if drawn < fair {
                return drawn % bound;
            }
        }
    }

    /// `base`, moved by at most `percent` (up to 100) of itself either way, so that herds spread out.
    pub fn jitter(&self, base: Duration, percent: u32) -> Duration {
        let percent = percent.min(100);
        let permille = 1000 - percent * 10 + self.below(percent * 20 + 1);
        base.saturating_mul(permille) / 1000
    }

    #[expect(
        clippy::expect_used,
        reason = "aws-lc aborts rather than run without entropy, it never returns an error"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Chance::System => rand::fill(bytes).expect("aws-lc always has entropy"),
            Chance::Seeded { seed, drawn } => {
                for chunk in bytes.chunks_mut(digest::SHA256_OUTPUT_LEN) {
                    let mut context = digest::Context::new(&digest::SHA256);
                    context.update(&seed.to_be_bytes());
                    context.update(&drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes());
                    let block = context.finish();
                    chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sequence_and_another_seed_does_not() {
        let draw = |seed| Ids::seeded(seed).bytes::<40>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let ids = Ids::seeded(7);
        assert_ne!(ids.bytes::<16>(), ids.bytes::<16>());
    }

    #[test]
    fn ids_are_version_7_and_sort_by_their_time() {
        let ids = Ids::random();
        let early = ids.uuid(DateTime::UNIX_EPOCH + chrono::TimeDelta::milliseconds(5));
        let late = ids.uuid(DateTime::UNIX_EPOCH + chrono::TimeDelta::milliseconds(6));
        assert_eq!(early.get_version_num(), 7);
        assert!(early < late);
    }

    #[test]
    fn jitter_stays_within_its_percentage() {
        let ids = Ids::seeded(1);
        let base = Duration::from_secs(100);
        for _ in 0..1000 {
            let moved = ids.jitter(base, 10);
            assert!((90..=110).contains(&moved.as_secs()), "{moved:?}");
        }
        assert_eq!(ids.jitter(base, 0), base);
    }

    #[test]
    fn every_number_below_the_bound_is_drawn() {
        let ids = Ids::seeded(1);
        let mut seen = [false; 6];
        for _ in 0..200 {
            seen[ids.below(6) as usize] = true;
        }
        assert_eq!(seen, [true; 6]);
        assert_eq!(ids.below(0), 0);
    }
}
