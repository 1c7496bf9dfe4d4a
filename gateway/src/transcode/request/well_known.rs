//! The types of `google.protobuf` that have a JSON form of their own, from JSON and from text.

use chrono::DateTime;
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};
use prost_types::value::Kind as ValueKind;
use prost_types::{Duration, FieldMask, ListValue, Struct, Timestamp};

use super::scalar;
use crate::transcode::json::{Json, Members};
use crate::transcode::words::Words;

type Parsed = Result<Value, &'static str>;

/// A type with a JSON form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WellKnown {
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    List,
    Value,
    Any,
    Wrapper,
}

/// Whether `null` is a value of the kind rather than no value.
pub(super) fn takes_null(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|message| message.full_name() == "google.protobuf.Value")
}

impl WellKnown {
    pub(super) fn of(message: &MessageDescriptor) -> Option<Self> {
        Some(match message.full_name().strip_prefix("google.protobuf.")? {
            "Timestamp" => Self::Timestamp,
            "Duration" => Self::Duration,
            "FieldMask" => Self::FieldMask,
            "Struct" => Self::Struct,
            "ListValue" => Self::List,
            "Value" => Self::Value,
            "Any" => Self::Any,
            name if name.ends_with("Value") => Self::Wrapper,
            _ => return None,
        })
    }

    pub(super) fn read_json(self, kind: &MessageDescriptor, json: &Json<'_>) -> Parsed {
        match (self, json) {
            (Self::Struct, Json::Object(members)) => filled(kind, &object(members)?),
            (Self::Struct, _) => Err("must be an object"),
            (Self::List, Json::List(items)) => filled(kind, &list(items)?),
            (Self::List, _) => Err("must be a list"),
            (Self::Value, json) => filled(kind, &value(json)?),
            (Self::Wrapper, json) => wrapped(kind, |inner| scalar::from_json(inner, json, &Words::default())),
            (_, Json::Text(text)) => self.read_text(kind, text),
            (Self::Timestamp, _) => Err("must be a time"),
            (Self::Duration, _) => Err("must be a duration"),
            (Self::FieldMask, _) => Err("must be a list of fields in one text"),
            (Self::Any, _) => Err("is not supported"),
        }
    }

    pub(super) fn read_text(self, kind: &MessageDescriptor, text: &str) -> Parsed {
        match self {
            Self::Timestamp => {
                filled(kind, &timestamp(text).ok_or("must be a time as 2026-01-31T12:00:00Z")?)
            }
            Self::Duration => filled(kind, &duration(text).ok_or("must be a duration as 1.5s")?),
            Self::FieldMask => filled(kind, &mask(text).ok_or("must name fields in lowerCamelCase")?),
            Self::Wrapper => wrapped(kind, |inner| scalar::from_text(inner, text, &Words::default())),
            Self::Struct | Self::List | Self::Value | Self::Any => Err("is no single value"),
        }
    }
}

fn filled(kind: &MessageDescriptor, message: &impl Message) -> Parsed {
    let mut filled = DynamicMessage::new(kind.clone());
    filled.transcode_from(message).map_err(|_| "cannot be read")?;
    Ok(Value::Message(filled))
}

fn wrapped(kind: &MessageDescriptor, parse: impl FnOnce(&Kind) -> Parsed) -> Parsed {
    let field = kind.get_field(1).ok_or("is not supported")?;
    let mut wrapper = DynamicMessage::new(kind.clone());
    wrapper.set_field(&field, parse(&field.kind())?);
    Ok(Value::Message(wrapper))
}

fn timestamp(text: &str) -> Option<Timestamp> {
    // RFC 3339 as protobuf has it: `T` and `Z` in upper case, no leap seconds, years 1 to 9999.
    let shaped = text.len() >= 20 && text.is_ascii() && text.as_bytes()[10] == b'T' && !text.ends_with('z');
    let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| shaped)?;
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let fraction =
        text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    let in_range = (-62_135_596_800..=253_402_300_799).contains(&time.timestamp());
    (in_range && fraction <= 9).then(|| Timestamp { seconds: time.timestamp(), nanos })
}

fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (sign, digits) = number.strip_prefix('-').map_or((1, number), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds = whole.parse::<i64>().ok().filter(|seconds| *seconds <= 315_576_000_000)?;
    let nanos = format!("{fraction:0<9}").parse::<i32>().ok()?;
    Some(Duration { seconds: seconds * i64::from(sign), nanos: nanos * sign })
}

fn mask(text: &str) -> Option<FieldMask> {
    let snake = |path: &str| {
        let mut snake = String::with_capacity(path.len() + 4);
        for letter in path.chars() {
            match letter {
                'A'..='Z' => snake.extend(['_', letter.to_ascii_lowercase()]),
                'a'..='z' | '0'..='9' | '.' => snake.push(letter),
                _ => return None,
            }
        }
        (!snake.is_empty()).then_some(snake)
    };
    let paths = text.split(',').filter(|path| !path.is_empty()).map(snake).collect::<Option<_>>()?;
    Some(FieldMask { paths })
}

fn object(members: &Members<'_>) -> Result<Struct, &'static str> {
    let fields = members.iter().map(|(key, json)| Ok((checked(key)?, value(json)?)));
    Ok(Struct { fields: fields.collect::<Result<_, &'static str>>()? })
}

fn list(items: &[Json<'_>]) -> Result<ListValue, &'static str> {
    Ok(ListValue { values: items.iter().map(value).collect::<Result<_, _>>()? })
}

fn value(json: &Json<'_>) -> Result<prost_types::Value, &'static str> {
    let kind = match json {
        Json::Null => ValueKind::NullValue(0),
        Json::Bool(truth) => ValueKind::BoolValue(*truth),
        Json::Number(digits) => {
            let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            ValueKind::NumberValue(number.ok_or("holds a number that is out of range")?)
        }
        Json::Text(text) => ValueKind::StringValue(checked(text)?),
        Json::List(items) => ValueKind::ListValue(list(items)?),
        Json::Object(members) => ValueKind::StructValue(object(members)?),
    };
    Ok(prost_types::Value { kind: Some(kind) })
}

/// A database keeps no NUL in a text.
fn checked(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') { Err("must not contain the character NUL") } else { Ok(text.to_owned()) }
}
