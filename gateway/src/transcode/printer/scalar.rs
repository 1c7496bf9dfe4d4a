//! Scalars from the wire to JSON: 64-bit integers as strings, bytes in base64, the rest as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::Kind;

use super::wire::{Cursor, WireFault, WireKind};
use crate::transcode::text::write_text;

/// A scalar type of protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

impl Scalar {
    /// The scalar of a kind; `None` for messages and enums.
    pub(super) fn of(kind: &Kind) -> Option<Self> {
        Some(match kind {
            Kind::Double => Self::Double,
            Kind::Float => Self::Float,
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Uint32 => Self::Uint32,
            Kind::Uint64 => Self::Uint64,
            Kind::Sint32 => Self::Sint32,
            Kind::Sint64 => Self::Sint64,
            Kind::Fixed32 => Self::Fixed32,
            Kind::Fixed64 => Self::Fixed64,
            Kind::Sfixed32 => Self::Sfixed32,
            Kind::Sfixed64 => Self::Sfixed64,
            Kind::Bool => Self::Bool,
            Kind::String => Self::String,
            Kind::Bytes => Self::Bytes,
            Kind::Message(_) | Kind::Enum(_) => return None,
        })
    }

    pub(super) fn wire_kind(self) -> WireKind {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => WireKind::Fixed64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => WireKind::Fixed32,
            Self::String | Self::Bytes => WireKind::Length,
            _ => WireKind::Varint,
        }
    }

    /// Writes a value.
    pub(super) fn write(self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), WireFault> {
        match self {
            Self::Double => write_f64(out, f64::from_bits(fixed64(value)?)),
            Self::Float => write_f32(out, f32::from_bits(fixed32(value)?)),
            Self::Bool => out.extend_from_slice(if varint(value)? == 0 { b"false" } else { b"true" }),
            Self::String => write_text(out, text(value)?),
            Self::Bytes => write_text(out, &STANDARD.encode(value)),
            Self::Int64 | Self::Uint64 | Self::Sint64 | Self::Fixed64 | Self::Sfixed64 => {
                // JavaScript's numbers are not exact that far.
                out.push(b'"');
                self.write_whole(out, value)?;
                out.push(b'"');
            }
            _ => self.write_whole(out, value)?,
        }
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "the wire format keeps the low bits, by definition"
    )]
    fn write_whole(self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), WireFault> {
        match self {
            Self::Fixed32 => write_unsigned(out, fixed32(value)?.into()),
            Self::Fixed64 => write_unsigned(out, fixed64(value)?),
            Self::Sfixed32 => write_signed(out, (fixed32(value)? as i32).into()),
            Self::Sfixed64 => write_signed(out, fixed64(value)? as i64),
            Self::Uint32 => write_unsigned(out, (varint(value)? as u32).into()),
            Self::Uint64 => write_unsigned(out, varint(value)?),
            Self::Sint32 => write_signed(out, (unzigzag(varint(value)?) as i32).into()),
            Self::Sint64 => write_signed(out, unzigzag(varint(value)?)),
            Self::Int32 => write_signed(out, (varint(value)? as i32).into()),
            _ => write_signed(out, varint(value)? as i64),
        }
        Ok(())
    }

    /// Writes the value of an absent field.
    pub(super) fn write_default(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Double | Self::Float => b"0.0",
            Self::Int32 | Self::Uint32 | Self::Sint32 | Self::Fixed32 | Self::Sfixed32 => b"0",
            Self::Int64 | Self::Uint64 | Self::Sint64 | Self::Fixed64 | Self::Sfixed64 => b"\"0\"",
            Self::Bool => b"false",
            Self::String | Self::Bytes => b"\"\"",
        });
    }
}

pub(super) fn varint(value: &[u8]) -> Result<u64, WireFault> {
    Cursor::new(value).varint()
}

pub(super) fn text(value: &[u8]) -> Result<&str, WireFault> {
    std::str::from_utf8(value).map_err(|_| WireFault("a text is not UTF-8"))
}

fn fixed64(value: &[u8]) -> Result<u64, WireFault> {
    value.try_into().map(u64::from_le_bytes).map_err(|_| WireFault("a number is not of its size"))
}

fn fixed32(value: &[u8]) -> Result<u32, WireFault> {
    value.try_into().map(u32::from_le_bytes).map_err(|_| WireFault("a number is not of its size"))
}

#[expect(clippy::cast_possible_wrap, reason = "zigzag is defined on the bits")]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(super) fn write_signed(out: &mut Vec<u8>, number: i64) {
    // Writing into a vector does not fail.
    let _ = serde_json::to_writer(out, &number);
}

fn write_unsigned(out: &mut Vec<u8>, number: u64) {
    // Writing into a vector does not fail.
    let _ = serde_json::to_writer(out, &number);
}

pub(super) fn write_f64(out: &mut Vec<u8>, number: f64) {
    write_float(out, number, |out| serde_json::to_writer(out, &number));
}

fn write_f32(out: &mut Vec<u8>, number: f32) {
    write_float(out, number.into(), |out| serde_json::to_writer(out, &number));
}

/// What JSON has no number for goes by name (proto3 JSON mapping).
fn write_float(
    out: &mut Vec<u8>,
    number: f64,
    shortest: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
) {
    if number.is_finite() {
        // Writing into a vector does not fail.
        let _ = shortest(out);
    } else {
        out.extend_from_slice(match number {
            f64::INFINITY => b"\"Infinity\"",
            f64::NEG_INFINITY => b"\"-Infinity\"",
            _ => b"\"NaN\"",
        });
    }
}
