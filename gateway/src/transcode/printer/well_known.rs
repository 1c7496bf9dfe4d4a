//! The types of `google.protobuf` that have a JSON form of their own.

use chrono::{DateTime, SecondsFormat};
use prost::Message;
use prost_reflect::MessageDescriptor;
use prost_types::value::Kind as ValueKind;
use prost_types::{Duration, FieldMask, ListValue, Struct, Timestamp, Value};

use super::scalar::{Scalar, write_f64, write_signed};
use super::wire::{Cursor, WireFault};
use crate::transcode::text::write_text;

/// Year 1 to year 9999, in seconds of the epoch: what RFC 3339 can write.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About ten thousand years.
const DURATION_SECONDS_MAX: u64 = 315_576_000_000;
/// 2^53: from here on doubles no longer tell whole numbers apart.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A type with a JSON form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WellKnown {
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    List,
    Value,
    Wrapper(Scalar),
}

impl WellKnown {
    pub(super) fn of(message: &MessageDescriptor) -> Result<Option<Self>, String> {
        let Some(name) = message.full_name().strip_prefix("google.protobuf.") else { return Ok(None) };
        Ok(Some(match name {
            "Timestamp" => Self::Timestamp,
            "Duration" => Self::Duration,
            "FieldMask" => Self::FieldMask,
            "Struct" => Self::Struct,
            "ListValue" => Self::List,
            "Value" => Self::Value,
            "Any" => return Err("google.protobuf.Any is not supported at the edge".to_owned()),
            _ if name.ends_with("Value") => {
                let scalar = message.get_field(1).and_then(|field| Scalar::of(&field.kind()));
                return Ok(scalar.map(Self::Wrapper));
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn write(self, out: &mut Vec<u8>, wire: &[u8]) -> Result<(), WireFault> {
        match self {
            Self::Timestamp => write_timestamp(out, &decode(wire)?),
            Self::Duration => write_duration(out, &decode(wire)?),
            Self::FieldMask => {
                let mask: FieldMask = decode(wire)?;
                let paths: Vec<String> = mask.paths.iter().map(|path| lower_camel(path)).collect();
                write_text(out, &paths.join(","));
                Ok(())
            }
            Self::Struct => write_struct(out, &decode(wire)?),
            Self::List => write_list(out, &decode(wire)?),
            Self::Value => write_value(out, &decode(wire)?),
            Self::Wrapper(scalar) => write_wrapper(out, scalar, wire),
        }
    }
}

fn decode<T: Message + Default>(wire: &[u8]) -> Result<T, WireFault> {
    T::decode(wire).map_err(|_| WireFault("a well-known type cannot be read"))
}

fn write_timestamp(out: &mut Vec<u8>, time: &Timestamp) -> Result<(), WireFault> {
    let nanos = u32::try_from(time.nanos).ok().filter(|_| TIMESTAMP_SECONDS.contains(&time.seconds));
    let time = nanos.and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos));
    let time = time.ok_or(WireFault("a time is out of range"))?;
    write_text(out, &time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    Ok(())
}

fn write_duration(out: &mut Vec<u8>, duration: &Duration) -> Result<(), WireFault> {
    let (seconds, nanos) = (duration.seconds, duration.nanos);
    let one_sign = seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0);
    if !one_sign || seconds.unsigned_abs() > DURATION_SECONDS_MAX || nanos.unsigned_abs() > 999_999_999 {
        return Err(WireFault("a duration is out of range"));
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let (whole, nanos) = (seconds.abs(), nanos.abs());
    let text = match nanos {
        0 => format!("{sign}{whole}s"),
        n if n % 1_000_000 == 0 => format!("{sign}{whole}.{:03}s", n / 1_000_000),
        n if n % 1_000 == 0 => format!("{sign}{whole}.{:06}s", n / 1_000),
        n => format!("{sign}{whole}.{n:09}s"),
    };
    write_text(out, &text);
    Ok(())
}

fn lower_camel(path: &str) -> String {
    let mut camel = String::with_capacity(path.len());
    let mut upper = false;
    for letter in path.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

fn write_struct(out: &mut Vec<u8>, object: &Struct) -> Result<(), WireFault> {
    out.push(b'{');
    for (index, (key, value)) in object.fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(out, key);
        out.push(b':');
        write_value(out, value)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_list(out: &mut Vec<u8>, list: &ListValue) -> Result<(), WireFault> {
    out.push(b'[');
    for (index, value) in list.values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(out, value)?;
    }
    out.push(b']');
    Ok(())
}

fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), WireFault> {
    match &value.kind {
        // A value of no kind is no JSON; null is the nearest.
        None | Some(ValueKind::NullValue(_)) => out.extend_from_slice(b"null"),
        Some(ValueKind::BoolValue(truth)) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Some(ValueKind::NumberValue(number)) => write_number(out, *number),
        Some(ValueKind::StringValue(text)) => write_text(out, text),
        Some(ValueKind::StructValue(object)) => return write_struct(out, object),
        Some(ValueKind::ListValue(list)) => return write_list(out, list),
    }
    Ok(())
}

/// A number of a JSON document: a whole one comes back as it was written, `7` and not `7.0`.
#[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
fn write_number(out: &mut Vec<u8>, number: f64) {
    if number.fract() == 0.0 && number.abs() < WHOLE_MAX {
        write_signed(out, number as i64);
    } else {
        write_f64(out, number);
    }
}

fn write_wrapper(out: &mut Vec<u8>, scalar: Scalar, wire: &[u8]) -> Result<(), WireFault> {
    let mut cursor = Cursor::new(wire);
    let mut last = None;
    while !cursor.is_done() {
        let (number, kind) = cursor.tag()?;
        let value = cursor.value(kind)?;
        if number == 1 {
            if kind != scalar.wire_kind() {
                return Err(WireFault("a wrapped value is of another kind"));
            }
            last = Some(value);
        }
    }
    let Some(value) = last else {
        scalar.write_default(out);
        return Ok(());
    };
    scalar.write(out, value)
}
