//! One-time codes: what is asked of the store and what it answers. What a code is for, how it is made and
//! hashed, is the caller's.

use std::time::Duration;

/// The keys that belong to the codes of one person and purpose. On a cluster they must share a slot: the
/// same `{tag}` in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeKeys {
    /// The code in force and its wrong attempts.
    pub code: String,
    /// There while trying is locked.
    pub lock: String,
    /// There while no new code is sent.
    pub cooldown: String,
    /// Codes issued in the last day.
    pub daily: String,
    /// What a verified code yields; kept by the caller, here only so that all names are in one place.
    pub session: String,
}

/// A code to be stored.
#[derive(Debug, Clone, Copy)]
pub struct IssueCode<'a> {
    /// Where.
    pub keys: &'a CodeKeys,
    /// `"<hash> <rest>"`: the code's hash, without spaces, and what a match gives back.
    pub record: &'a str,
    /// How long the code is good for.
    pub ttl: Duration,
    /// How long no other is issued.
    pub cooldown: Duration,
    /// How many may be issued within a day of the first.
    pub daily_max: u32,
}

/// What became of issuing a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueOutcome {
    /// It is in force, and any earlier one is not.
    Issued,
    /// One was issued just now; another may be after this long.
    CoolingDown(Duration),
    /// Too many wrong attempts; it may go on after this long.
    Locked(Duration),
    /// Too many codes today; it may go on after this long.
    OverQuota(Duration),
}

/// What became of trying a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryOutcome {
    /// The right one: it is consumed, and this is the rest of its record.
    Matched(String),
    /// The wrong one; attempts are left.
    Wrong,
    /// Too many wrong attempts; it may go on after this long.
    Locked(Duration),
    /// None is in force: never issued, expired, or used.
    Missing,
}

/// The span of the daily quota.
pub(super) const DAY: Duration = Duration::from_hours(24);
