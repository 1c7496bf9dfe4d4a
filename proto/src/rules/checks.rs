//! What a single rule says of a single value, and its complaint: a sentence without its subject.

use prost_reflect::{EnumDescriptor, Value};
use regex::Regex;
use uuid::Uuid;

/// One rule.
#[derive(Debug)]
pub(super) enum Check {
    LengthMin(u64),
    LengthMax(u64),
    BytesMax(u64),
    Pattern(Regex),
    Uuid,
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Defined(EnumDescriptor),
    AtLeast(Number),
    AtMost(Number),
    Above(Number),
    Below(Number),
    ItemsMin(u64),
    ItemsMax(u64),
    Unique,
}

/// A number of any kind; 64-bit integers keep every digit.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::I32(number) => Self::Integer((*number).into()),
            Value::I64(number) => Self::Integer((*number).into()),
            Value::U32(number) => Self::Integer((*number).into()),
            Value::U64(number) => Self::Integer((*number).into()),
            Value::F32(number) => Self::Float((*number).into()),
            Value::F64(number) => Self::Float(*number),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
        }
    }
}

impl Check {
    /// What this rule has against the value.
    pub(super) fn complaint(&self, value: &Value) -> Option<String> {
        let number = |holds: fn(Number, Number) -> bool, bound: Number| {
            Number::of(value).is_some_and(|number| holds(number, bound))
        };
        let (holds, complaint) = match self {
            Self::LengthMin(least) => {
                (length(value) >= *least, format!("must have at least {least} characters"))
            }
            Self::LengthMax(most) => (length(value) <= *most, format!("must have at most {most} characters")),
            Self::BytesMax(most) => (bytes(value) <= *most, format!("must have at most {most} bytes")),
            Self::Pattern(pattern) => (
                value.as_str().is_some_and(|text| pattern.is_match(text)),
                "is not of the right form".to_owned(),
            ),
            Self::Uuid => (value.as_str().is_some_and(is_uuid), "is no UUID".to_owned()),
            Self::In(values) => (values.contains(value), "is none of the allowed values".to_owned()),
            Self::NotIn(values) => (!holds_number(values, value), "is not an allowed value".to_owned()),
            Self::Defined(kind) => (
                value.as_enum_number().is_some_and(|number| kind.get_value(number).is_some()),
                "is not a known value".to_owned(),
            ),
            Self::AtLeast(bound) => (number(|a, b| a >= b, *bound), format!("must be at least {bound}")),
            Self::AtMost(bound) => (number(|a, b| a <= b, *bound), format!("must be at most {bound}")),
            Self::Above(bound) => (number(|a, b| a > b, *bound), format!("must be above {bound}")),
            Self::Below(bound) => (number(|a, b| a < b, *bound), format!("must be below {bound}")),
            Self::ItemsMin(least) => (items(value) >= *least, format!("must have at least {least} items")),
            Self::ItemsMax(most) => (items(value) <= *most, format!("must have at most {most} items")),
            Self::Unique => (is_unique(value), "must not name an item twice".to_owned()),
        };
        (!holds).then_some(complaint)
    }
}

/// The length of a text in characters, of bytes in bytes.
fn length(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

fn bytes(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

fn items(value: &Value) -> u64 {
    value.as_list().map_or(0, |list| list.len() as u64)
}

fn is_unique(value: &Value) -> bool {
    value
        .as_list()
        .is_none_or(|list| list.iter().enumerate().all(|(index, item)| !list[..index].contains(item)))
}

/// Rules on enums name their values by plain numbers.
fn holds_number(values: &[Value], value: &Value) -> bool {
    match value {
        Value::EnumNumber(number) => values.contains(&Value::I32(*number)) || values.contains(value),
        other => values.contains(other),
    }
}

/// The hyphenated form only: an id has one spelling.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}
