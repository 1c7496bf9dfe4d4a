//! Between the contracts' messages and what flows speak of.

use chrono::{DateTime, Utc};
use mesh::RequestContext;
use prost_types::{Struct, Timestamp, Value, value::Kind};
use proto::{ServiceError, auth as pb, canonical, notify};
use uuid::Uuid;

use crate::domain::event::Event;
use crate::domain::origin::Origin;
use crate::domain::role::Rights;
use crate::domain::session::{AuthMethod, Session, Status as SessionStatus};
use crate::domain::user::{Status as UserStatus, User};
use crate::flows::{Me, Tokens};

/// How deep a `google.protobuf.Struct` may nest.
const STRUCT_DEPTH_MAX: usize = 16;

/// The canonical spelling of an address. Fails with `VALIDATION_ERROR` naming `email`.
pub(super) fn email(text: &str) -> Result<String, ServiceError> {
    canonical::email(text).ok_or_else(|| ServiceError::invalid("email", "is no e-mail address"))
}

/// Where a call came from.
pub(super) fn origin(context: &RequestContext) -> Origin {
    Origin {
        ip_address: context.client_ip.map(|ip| ip.to_string()),
        user_agent: context.user_agent.clone(),
        trace_id: Some(context.trace.trace_id()),
    }
}

/// A user with their rights.
pub(super) fn user(user: User, rights: Rights) -> pb::User {
    pb::User {
        id: user.id.to_string(),
        tenant_id: user.tenant_id.to_string(),
        email: user.email,
        email_verified: user.email_verified,
        username: user.username,
        display_name: user.display_name,
        phone: user.phone,
        phone_verified: user.phone_verified,
        locale: user.locale,
        time_zone: user.time_zone,
        status: match user.status {
            UserStatus::Active => pb::UserStatus::Active,
            UserStatus::Pending => pb::UserStatus::Pending,
            UserStatus::Banned => pb::UserStatus::Banned,
        }
        .into(),
        roles: rights.held,
        permissions: rights.permissions,
        created_at: Some(timestamp(user.created_at)),
    }
}

pub(super) fn me(me: Me) -> pb::User {
    user(me.user, me.rights)
}

/// The tokens of a session.
pub(super) fn tokens(tokens: Tokens) -> pb::Tokens {
    pb::Tokens {
        access_token: tokens.access_token,
        refresh_token: Some(tokens.refresh_token),
        token_type: "Bearer".to_owned(),
        expires_in: seconds(tokens.expires_in),
        user: Some(user(tokens.user, tokens.rights)),
    }
}

/// A session as its owner sees it.
pub(super) fn session(session: Session, current: Uuid, now: DateTime<Utc>) -> pb::Session {
    let status = match session.status_at(now) {
        SessionStatus::Active => pb::SessionStatus::Active,
        SessionStatus::Revoked => pb::SessionStatus::Revoked,
        SessionStatus::Expired => pb::SessionStatus::Expired,
        SessionStatus::Locked => pb::SessionStatus::Locked,
    };
    let auth_method = match session.auth_method {
        AuthMethod::Local => pb::AuthMethod::Local,
        AuthMethod::Otp => pb::AuthMethod::Otp,
    };
    pb::Session {
        id: session.id.to_string(),
        auth_method: auth_method.into(),
        status: status.into(),
        current: session.id == current,
        ip_address: session.ip_address,
        user_agent: session.user_agent,
        device_type: device_type_from(&session.device_type).into(),
        location: session.location,
        created_at: Some(timestamp(session.created_at)),
        last_used_at: Some(timestamp(session.last_used_at)),
        expires_at: Some(timestamp(session.expires_at)),
    }
}

/// A kind of device as its word.
pub(super) fn device_type(kind: pb::DeviceType) -> &'static str {
    match kind {
        pb::DeviceType::Unspecified => "unknown",
        pb::DeviceType::Web => "web",
        pb::DeviceType::Mobile => "mobile",
        pb::DeviceType::Tablet => "tablet",
        pb::DeviceType::Kiosk => "kiosk",
    }
}

fn device_type_from(word: &str) -> pb::DeviceType {
    use pb::DeviceType::{Kiosk, Mobile, Tablet, Unspecified, Web};
    [Web, Mobile, Tablet, Kiosk].into_iter().find(|kind| device_type(*kind) == word).unwrap_or(Unspecified)
}

/// Whole seconds, as counts go over the wire.
pub(super) fn seconds(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// A point in time.
pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: time.timestamp(), nanos }
}

/// An event as notify takes it.
pub(crate) fn event(event: Event) -> notify::Event {
    notify::Event {
        id: event.id.to_string(),
        tenant_id: event.tenant_id.to_string(),
        r#type: event.kind,
        user_ids: vec![event.user_id.to_string()],
        data: Some(Struct {
            fields: event.data.into_iter().map(|(name, value)| (name, to_value(value))).collect(),
        }),
        secret_reference: event.link_id.map(|id| id.to_string()),
        occurred_at: Some(timestamp(event.occurred_at)),
    }
}

fn to_value(json: serde_json::Value) -> Value {
    let kind = match json {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(value) => Kind::BoolValue(value),
        serde_json::Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Kind::StringValue(text),
        serde_json::Value::Array(items) => {
            Kind::ListValue(prost_types::ListValue { values: items.into_iter().map(to_value).collect() })
        }
        serde_json::Value::Object(fields) => Kind::StructValue(Struct {
            fields: fields.into_iter().map(|(name, value)| (name, to_value(value))).collect(),
        }),
    };
    Value { kind: Some(kind) }
}

/// A `Struct` as JSON. Fails with `VALIDATION_ERROR` naming the field where it nests too deeply.
pub(super) fn json(field: &str, fields: Struct) -> Result<serde_json::Value, ServiceError> {
    let value = Value { kind: Some(Kind::StructValue(fields)) };
    from_value(value, STRUCT_DEPTH_MAX).ok_or_else(|| ServiceError::invalid(field, "is nested too deeply"))
}

fn from_value(value: Value, depth: usize) -> Option<serde_json::Value> {
    let depth = depth.checked_sub(1)?;
    Some(match value.kind {
        None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
        Some(Kind::BoolValue(value)) => value.into(),
        Some(Kind::NumberValue(number)) => number.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::ListValue(list)) => {
            list.values.into_iter().map(|item| from_value(item, depth)).collect::<Option<Vec<_>>>()?.into()
        }
        Some(Kind::StructValue(fields)) => {
            let fields =
                fields.fields.into_iter().map(|(name, value)| Some((name, from_value(value, depth)?)));
            serde_json::Value::Object(fields.collect::<Option<_>>()?)
        }
    })
}
