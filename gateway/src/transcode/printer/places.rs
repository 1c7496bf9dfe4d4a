//! Finds values on the wire: where each field's lie in a message, the parts of one, the entry of a map.
//! Nothing is printed here.

use std::borrow::Cow;

use super::plan::{FieldPlan, MessagePlan, Shape, ValuePlan};
use super::scalar::Scalar;
use super::wire::{Cursor, WireFault, WireKind};

/// Where a field's values lie in its message. All of them lie from `from` to `to`; `last` is the last.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) count: u32,
    from: usize,
    to: usize,
    last: (usize, usize),
}

/// Notes where the fields' values lie; answers where the notes begin.
pub(super) fn find_fields(
    places: &mut Vec<Place>,
    plan: &MessagePlan,
    wire: &[u8],
) -> Result<usize, WireFault> {
    let base = places.len();
    places.resize(base + plan.fields.len(), Place::default());
    let mut cursor = Cursor::new(wire);
    while !cursor.is_done() {
        let from = cursor.at;
        let (number, kind) = cursor.tag()?;
        let value = cursor.value(kind)?;
        let Some(offset) = plan.place(number) else { continue };
        let field = &plan.fields[offset];
        if kind != field.wire_kind() && !(kind == WireKind::Length && field.packs()) {
            return Err(WireFault("a field is of another kind"));
        }
        if let Some(oneof) = field.oneof {
            clear_others(&mut places[base..], plan, oneof, offset);
        }
        let place = &mut places[base + offset];
        if place.count == 0 {
            place.from = from;
        }
        place.count += 1;
        place.to = cursor.at;
        place.last = (cursor.at - value.len(), cursor.at);
    }
    Ok(base)
}

fn clear_others(places: &mut [Place], plan: &MessagePlan, oneof: usize, kept: usize) {
    for (offset, field) in plan.fields.iter().enumerate() {
        if field.oneof == Some(oneof) && offset != kept {
            places[offset] = Place::default();
        }
    }
}

impl FieldPlan {
    /// How a single value lies on the wire.
    pub(super) fn wire_kind(&self) -> WireKind {
        match (&self.shape, &self.value) {
            (Shape::Map(_), _) | (_, ValuePlan::Message(_) | ValuePlan::WellKnown(_)) => WireKind::Length,
            (_, ValuePlan::Enum(_)) => WireKind::Varint,
            (_, ValuePlan::Scalar(scalar)) => scalar.wire_kind(),
        }
    }

    /// Whether several values may lie in one.
    pub(super) fn packs(&self) -> bool {
        self.shape == Shape::List && self.wire_kind() != WireKind::Length
    }
}

/// The value of a singular field: the last one, or for a message all of its parts.
pub(super) fn merge<'w>(field: &FieldPlan, place: Place, wire: &'w [u8]) -> Result<Cow<'w, [u8]>, WireFault> {
    let merges = matches!(field.value, ValuePlan::Message(_) | ValuePlan::WellKnown(_));
    if !merges || place.count <= 1 {
        return Ok(Cow::Borrowed(&wire[place.last.0..place.last.1]));
    }
    let mut whole = Vec::new();
    for part in values(field.number, place, wire) {
        whole.extend_from_slice(part?.1);
    }
    Ok(Cow::Owned(whole))
}

/// Every value of a field, in order.
pub(super) fn values(
    number: u32,
    place: Place,
    wire: &[u8],
) -> impl Iterator<Item = Result<(WireKind, &[u8]), WireFault>> {
    let mut cursor = Cursor::new(&wire[place.from..place.to]);
    std::iter::from_fn(move || {
        while !cursor.is_done() {
            match cursor.tag().and_then(|(found, kind)| Ok((found, kind, cursor.value(kind)?))) {
                Ok((found, kind, value)) if found == number => return Some(Ok((kind, value))),
                Ok(_) => {}
                Err(fault) => return Some(Err(fault)),
            }
        }
        None
    })
}

/// A map's entry: its key as a JSON key, and its value where there is one.
pub(super) fn entry<'w>(
    wire: &'w [u8],
    key: Scalar,
    value: &ValuePlan,
) -> Result<(Vec<u8>, Option<&'w [u8]>), WireFault> {
    let (mut name, mut found) = (None, None);
    let mut cursor = Cursor::new(wire);
    let value_kind = match value {
        ValuePlan::Scalar(scalar) => scalar.wire_kind(),
        ValuePlan::Enum(_) => WireKind::Varint,
        ValuePlan::Message(_) | ValuePlan::WellKnown(_) => WireKind::Length,
    };
    while !cursor.is_done() {
        let (number, kind) = cursor.tag()?;
        let bytes = cursor.value(kind)?;
        match number {
            1 if kind == key.wire_kind() => name = Some(bytes),
            2 if kind == value_kind => found = Some(bytes),
            1 | 2 => return Err(WireFault("a map's entry is of another kind")),
            _ => {}
        }
    }
    let mut printed = Vec::new();
    match name {
        Some(bytes) => key.write(&mut printed, bytes)?,
        None => key.write_default(&mut printed),
    }
    if printed.first() != Some(&b'"') {
        printed.insert(0, b'"');
        printed.push(b'"');
    }
    Ok((printed, found))
}
