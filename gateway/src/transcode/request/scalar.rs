//! Scalars and enum words from JSON and from text, by the proto3 JSON mapping. A complaint is a
//! sentence without its subject.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{Kind, Value};

use crate::transcode::json::Json;
use crate::transcode::words::Words;

type Parsed = Result<Value, &'static str>;

/// Up to here a double holds every integer.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A value of a scalar kind or an enum from JSON.
pub(super) fn from_json(kind: &Kind, json: &Json<'_>, words: &Words) -> Parsed {
    match (kind, json) {
        (Kind::Bool, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        (Kind::Bool, _) => Err("must be true or false"),
        (Kind::String | Kind::Bytes | Kind::Enum(_), Json::Text(text)) => from_text(kind, text, words),
        (Kind::String, _) => Err("must be a text"),
        (Kind::Bytes, _) => Err("must be bytes in base64"),
        (Kind::Enum(_), Json::Number(digits)) => enum_number(kind, digits),
        (Kind::Enum(_), _) => Err("is not a known value"),
        (_, Json::Number(digits)) => number(kind, digits),
        (_, Json::Text(digits)) => number(kind, digits),
        _ => Err("must be a number"),
    }
}

/// A value of a scalar kind or an enum from the text of a path, a query or a form.
pub(super) fn from_text(kind: &Kind, text: &str, words: &Words) -> Parsed {
    match kind {
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false"),
        },
        // A database keeps no NUL in a text.
        Kind::String if text.contains('\0') => Err("must not contain the character NUL"),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bytes => bytes(text),
        Kind::Enum(names) => match words.number(names, text) {
            Some(number) => Ok(Value::EnumNumber(number)),
            None => enum_number(kind, text),
        },
        Kind::Message(_) => Err("is no single value"),
        _ => number(kind, text),
    }
}

fn enum_number(kind: &Kind, digits: &str) -> Parsed {
    let number = digits.parse::<i32>().ok();
    let known = number.filter(|number| kind.as_enum().is_some_and(|kind| kind.get_value(*number).is_some()));
    known.map(Value::EnumNumber).ok_or("is not a known value")
}

fn bytes(text: &str) -> Parsed {
    let standard = text.replace('-', "+").replace('_', "/");
    let bytes = BASE64.decode(standard).map_err(|_| "must be bytes in base64")?;
    Ok(Value::Bytes(bytes.into()))
}

fn number(kind: &Kind, text: &str) -> Parsed {
    let spelled = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match kind {
        Kind::Double => float(text, spelled).map(Value::F64),
        Kind::Float => {
            let wide = float(text, spelled)?;
            #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest is what is wanted")]
            let narrow = wide as f32;
            if narrow.is_infinite() && wide.is_finite() { Err(RANGE) } else { Ok(Value::F32(narrow)) }
        }
        _ if !spelled => Err(WHOLE),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole(text).map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole(text).map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => whole(text).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => whole(text).map(Value::U64),
        _ => Err("is no single value"),
    }
}

const WHOLE: &str = "must be a whole number";
const RANGE: &str = "is out of range";

fn float(text: &str, spelled: bool) -> Result<f64, &'static str> {
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        _ if !spelled => Err("must be a number"),
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) => Err(RANGE),
            Err(_) => Err("must be a number"),
        },
    }
}

/// A whole number; `1e2` and `1.0` are ones too, as far as doubles are exact.
fn whole<T: std::str::FromStr + TryFrom<i64>>(text: &str) -> Result<T, &'static str> {
    if let Ok(number) = text.parse::<T>() {
        return Ok(number);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Err(if text.parse::<f64>().is_ok() { RANGE } else { WHOLE });
    }
    let number = text.parse::<f64>().map_err(|_| WHOLE)?;
    if number.fract() != 0.0 {
        return Err(WHOLE);
    }
    if number.abs() > EXACT_MAX {
        return Err(RANGE);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range")]
    T::try_from(number as i64).map_err(|_| RANGE)
}
