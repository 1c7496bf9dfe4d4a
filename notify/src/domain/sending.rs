//! What an administrator tells people, and how a repetition of it is recognised.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use uuid::Uuid;

/// For how long a key stands for what was sent with it.
pub(crate) const KEY_KEPT: Duration = Duration::from_hours(24);

/// What to tell whom.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// Who tells.
    pub(crate) sender: Sender,
    /// Whom, each once; at most 500, known or not.
    pub(crate) user_ids: BTreeSet<Uuid>,
    /// What happened.
    pub(crate) kind: String,
    /// The line, where no template has one.
    pub(crate) title: Option<String>,
    /// The paragraph, where no template has one.
    pub(crate) body: Option<String>,
    /// What a program may want to know of it.
    pub(crate) data: Map<String, Value>,
    /// Makes repeating safe.
    pub(crate) key: Option<String>,
}

/// Who tells people something, and for which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The tenant, whose users alone are told.
    pub(crate) tenant_id: Uuid,
    /// The administrator.
    pub(crate) user_id: Uuid,
}

/// A sending as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Its event.
    pub(crate) event_id: Uuid,
    /// How many users it goes to.
    pub(crate) accepted: u32,
}

impl Sending {
    /// A hash of everything it asks for: two sendings are the same where this is.
    pub(crate) fn fingerprint(&self) -> String {
        let asked = serde_json::json!([self.user_ids, self.kind, self.title, self.body, self.data]);
        BASE64.encode(digest(&SHA256, asked.to_string().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(users: &[u128], data: &Value) -> Sending {
        Sending {
            sender: Sender { tenant_id: Uuid::nil(), user_id: Uuid::nil() },
            user_ids: users.iter().copied().map(Uuid::from_u128).collect(),
            kind: "a.b".to_owned(),
            title: None,
            body: None,
            data: data.as_object().unwrap().clone(),
            key: None,
        }
    }

    #[test]
    fn neither_the_order_of_users_nor_that_of_fields_makes_another_sending() {
        let one = sending(&[1, 2], &serde_json::json!({"a": 1, "b": 2}));
        let same = sending(&[2, 1, 2], &serde_json::json!({"b": 2, "a": 1}));
        let other = sending(&[1, 2, 3], &serde_json::json!({"a": 1, "b": 2}));
        assert_eq!(one.fingerprint(), same.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
