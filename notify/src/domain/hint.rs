//! What open windows are told as it happens. A hint may get lost: whoever shows something asks the
//! record where it stands.

use serde_json::Value;
use uuid::Uuid;

use super::event::Event;
use super::notification::{Notification, Reading, Standing};

/// A hint to one user.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    /// Its own id, by which doubles are recognised.
    pub(crate) id: Uuid,
    /// Whom it is for.
    pub(crate) user_id: Uuid,
    /// What it tells.
    pub(crate) told: Told,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// A notification came.
    Came(Box<Notification>, Standing),
    /// Notifications were read.
    Read(Reading, Standing),
    /// A session of the user changed.
    Session {
        /// Which.
        session_id: String,
        /// What it is now.
        status: String,
        /// Why.
        reason: String,
    },
    /// The user's rights changed.
    Permissions {
        /// The roles held from now on.
        roles: Vec<String>,
        /// What they allow.
        permissions: Vec<String>,
    },
    /// The user's profile changed.
    Profile {
        /// The fields that changed.
        fields: Vec<String>,
    },
}

impl Hint {
    /// That a notification came; told by its own id however often.
    pub(crate) fn came(user_id: Uuid, notification: Notification, standing: Standing) -> Self {
        Self { id: notification.id, user_id, told: Told::Came(notification.into(), standing) }
    }
}

impl Told {
    /// What an event tells windows and nobody else: nothing of it stands in an inbox or goes by mail.
    /// Nothing where the event is for inboxes and mails.
    pub(crate) fn of_event(event: &Event) -> Option<Self> {
        let text = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |name: &str| {
            let items = event.data.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        match event.kind.as_str() {
            "user.session-changed" => Some(Self::Session {
                session_id: text("sessionId"),
                status: text("status"),
                reason: text("reason"),
            }),
            "user.permissions-changed" => {
                Some(Self::Permissions { roles: list("roles"), permissions: list("permissions") })
            }
            "user.profile-changed" => Some(Self::Profile { fields: list("fields") }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn event(kind: &str, data: &Value) -> Event {
        Event {
            id: Uuid::nil(),
            tenant_id: Uuid::nil(),
            kind: kind.to_owned(),
            data: data.as_object().unwrap().clone(),
            secret_reference: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn identity_events_are_hints_and_others_are_not() {
        let told = Told::of_event(&event("user.profile-changed", &json!({"fields": ["locale"]})));
        assert_eq!(told, Some(Told::Profile { fields: vec!["locale".to_owned()] }));
        let told = Told::of_event(&event("user.permissions-changed", &json!({"roles": ["USER", 7]})));
        assert_eq!(told, Some(Told::Permissions { roles: vec!["USER".to_owned()], permissions: vec![] }));
        assert_eq!(Told::of_event(&event("user.verified", &json!({}))), None);
    }
}
