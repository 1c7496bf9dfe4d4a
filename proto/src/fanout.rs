//! The notification fan-out: the subjects it travels on. Its messages are `platform.notify.v1.Push`.

use uuid::Uuid;

/// The stream that holds pushes for the two minutes in which a broker may drop doubles.
pub const STREAM: &str = "NOTIFY";
/// Every user's subject.
pub const SUBJECTS: &str = "notify.user.*";
/// For how long the broker keeps a push, in seconds.
pub const KEPT_SECONDS: u64 = 120;

/// The subject of one user's pushes.
pub fn user_subject(user_id: Uuid) -> String {
    format!("notify.user.{user_id}")
}
