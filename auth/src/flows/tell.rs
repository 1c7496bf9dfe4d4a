//! Words an event: a step of every flow whose outcome somebody is told. Telling is notify's.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::app::Auth;
use crate::domain::event::{Event, EventType};
use crate::domain::origin::Origin;
use crate::domain::role::Rights;
use crate::domain::session::{EndReason, Status};

/// An event of this kind that happens now to a user, given with the tenant.
pub(super) fn happened(auth: &Auth, kind: EventType, to: (Uuid, Uuid), now: DateTime<Utc>) -> Event {
    let (tenant_id, user_id) = to;
    Event {
        id: auth.ids.uuid(now),
        tenant_id,
        kind: kind.as_str().to_owned(),
        user_id,
        data: serde_json::Map::new(),
        link_id: None,
        occurred_at: now,
    }
}

/// The same, telling where it came from.
pub(super) fn happened_from(
    auth: &Auth,
    kind: EventType,
    to: (Uuid, Uuid),
    origin: &Origin,
    now: DateTime<Utc>,
) -> Event {
    let mut event = happened(auth, kind, to, now);
    let facts = [("ip", &origin.ip_address), ("userAgent", &origin.user_agent)];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            event.data.insert(name.to_owned(), fact.as_str().into());
        }
    }
    event
}

/// A session of a user ended.
pub(super) fn session_ended(
    auth: &Auth,
    to: (Uuid, Uuid),
    session_id: Uuid,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Event {
    let facts = json!({
        "sessionId": session_id,
        "status": Status::Revoked.as_str(),
        "reason": reason.as_str(),
    });
    with_facts(happened(auth, EventType::SessionChanged, to, now), facts)
}

/// A user's rights are these from now on.
pub(super) fn permissions_changed(
    auth: &Auth,
    to: (Uuid, Uuid),
    rights: &Rights,
    now: DateTime<Utc>,
) -> Event {
    let facts = json!({ "roles": rights.held, "permissions": rights.permissions });
    with_facts(happened(auth, EventType::PermissionsChanged, to, now), facts)
}

/// These fields of a user's profile changed.
pub(super) fn profile_changed(auth: &Auth, to: (Uuid, Uuid), fields: &[&str], now: DateTime<Utc>) -> Event {
    with_facts(happened(auth, EventType::ProfileChanged, to, now), json!({ "fields": fields }))
}

fn with_facts(mut event: Event, facts: serde_json::Value) -> Event {
    if let serde_json::Value::Object(facts) = facts {
        event.data = facts;
    }
    event
}
