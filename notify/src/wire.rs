//! Notifications in the words of the contract, as they are answered and as they are pushed.

use chrono::{DateTime, Utc};
use prost_types::value::Kind;
use proto::notify as pb;
use serde_json::{Map, Number, Value};

use crate::domain::notification::Notification;

/// A notification as the contract has it.
pub(crate) fn notification(notification: Notification) -> pb::Notification {
    pb::Notification {
        id: notification.id.to_string(),
        seq: notification.seq,
        r#type: notification.kind,
        title: notification.words.title,
        body: notification.words.body,
        data: Some(fields(notification.data)),
        created_at: Some(timestamp(notification.created_at)),
        seen_at: notification.seen_at.map(timestamp),
        read_at: notification.read_at.map(timestamp),
        archived_at: notification.archived_at.map(timestamp),
    }
}

/// A time as the contract has it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0);
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}

/// What an event says about itself, as we keep it.
pub(crate) fn object(fields: prost_types::Struct) -> Map<String, Value> {
    fields.fields.into_iter().map(|(name, field)| (name, value(field))).collect()
}

/// How deep it goes was bounded when the message was decoded.
fn value(field: prost_types::Value) -> Value {
    match field.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => truth.into(),
        Some(Kind::NumberValue(number)) => whole(number).map_or_else(|| number.into(), Value::Number),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::StructValue(fields)) => object(fields).into(),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(value).collect(),
    }
}

/// A number without a fraction is kept without one: a template that speaks of it says 1, not 1.0.
fn whole(number: f64) -> Option<Number> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    let whole = (number.fract() == 0.0 && number.abs() < EXACT_MAX).then_some(number as i64);
    whole.map(Number::from)
}

fn fields(object: Map<String, Value>) -> prost_types::Struct {
    prost_types::Struct { fields: object.into_iter().map(|(name, value)| (name, field(value))).collect() }
}

fn field(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(0.0)),
        Value::String(text) => Kind::StringValue(text),
        Value::Object(object) => Kind::StructValue(fields(object)),
        Value::Array(list) => {
            Kind::ListValue(prost_types::ListValue { values: list.into_iter().map(field).collect() })
        }
    };
    prost_types::Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_says_comes_out_as_it_went_in() {
        let said = serde_json::json!({
            "text": "é", "yes": true, "none": null, "number": -1.5, "whole": 7, "list": [1, "two", {"three": []}]
        });
        let said = said.as_object().unwrap().clone();
        assert_eq!(object(fields(said.clone())), said);
    }
}
