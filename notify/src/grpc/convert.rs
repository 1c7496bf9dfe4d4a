//! What requests are parsed with.

use proto::ServiceError;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::event::DATA_BYTES_MAX;
use crate::wire;

/// An id; a violation of `field` where it is none.
pub(crate) fn id(field: &str, text: &str) -> Result<Uuid, ServiceError> {
    text.parse().map_err(|_| ServiceError::invalid(field, "is no UUID"))
}

/// What an event says about itself; a violation of `field` where it says too much, or what no database
/// takes.
pub(crate) fn data(
    field: &str,
    data: Option<prost_types::Struct>,
) -> Result<Map<String, Value>, ServiceError> {
    let data = wire::object(data.unwrap_or_default());
    let text = serde_json::to_string(&data).map_err(ServiceError::internal)?;
    if text.len() > DATA_BYTES_MAX {
        return Err(ServiceError::invalid(field, format!("has more than {DATA_BYTES_MAX} bytes")));
    }
    if text.contains("\\u0000") && has_null(&Value::Object(data.clone())) {
        return Err(ServiceError::invalid(field, "has the character U+0000"));
    }
    Ok(data)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(fields) => fields.iter().any(|(name, field)| name.contains('\0') || has_null(field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
