//! Writes one message: first it notes where each field's values lie, then it prints the fields in the
//! plan's order.

use std::collections::BTreeMap;

use super::places::{Place, entry, find_fields, merge, values};
use super::plan::{FieldPlan, Plans, Shape, ValuePlan};
use super::scalar::{Scalar, varint, write_signed};
use super::wire::{Cursor, WireFault};

/// How deep messages may nest: prost's own bound.
const DEPTH_MAX: usize = 100;

pub(super) struct Writer<'p> {
    plans: &'p Plans,
    out: Vec<u8>,
    /// The places of the message being written lie above those of the messages around it.
    places: Vec<Place>,
    depth: usize,
}

impl<'p> Writer<'p> {
    pub(super) fn new(plans: &'p Plans, capacity: usize) -> Self {
        Self { plans, out: Vec::with_capacity(capacity), places: Vec::with_capacity(64), depth: 0 }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Prints a message as an object.
    pub(super) fn message(&mut self, index: usize, wire: &[u8]) -> Result<(), WireFault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(WireFault("it is nested too deeply"));
        }
        let plan = self.plans.message(index);
        let base = find_fields(&mut self.places, plan, wire)?;
        self.out.push(b'{');
        let mut first = true;
        for (offset, field) in plan.fields.iter().enumerate() {
            let place = self.places[base + offset];
            if place.count == 0 && field.shape == Shape::Present {
                continue;
            }
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.out.extend_from_slice(&field.key);
            self.field(field, place, wire)?;
        }
        self.out.push(b'}');
        self.places.truncate(base);
        self.depth -= 1;
        Ok(())
    }

    /// Prints one field of a message as the whole answer; an absent message prints as an empty one.
    pub(super) fn field_alone(&mut self, index: usize, offset: usize, wire: &[u8]) -> Result<(), WireFault> {
        let plan = self.plans.message(index);
        let base = find_fields(&mut self.places, plan, wire)?;
        let (field, place) = (&plan.fields[offset], self.places[base + offset]);
        self.field(field, place, wire)
    }

    fn field(&mut self, field: &FieldPlan, place: Place, wire: &[u8]) -> Result<(), WireFault> {
        match &field.shape {
            Shape::List => self.list(field, place, wire),
            Shape::Map(key) => self.map(*key, field, place, wire),
            Shape::Present | Shape::Implicit if place.count == 0 => self.default(&field.value),
            Shape::Present | Shape::Implicit => {
                let value = merge(field, place, wire)?;
                self.value(&field.value, &value)
            }
        }
    }

    fn list(&mut self, field: &FieldPlan, place: Place, wire: &[u8]) -> Result<(), WireFault> {
        self.out.push(b'[');
        let start = self.out.len();
        for part in values(field.number, place, wire) {
            let (kind, value) = part?;
            if kind == field.wire_kind() {
                self.item(&field.value, value, start)?;
                continue;
            }
            let mut packed = Cursor::new(value);
            while !packed.is_done() {
                let item = packed.value(field.wire_kind())?;
                self.item(&field.value, item, start)?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn item(&mut self, plan: &ValuePlan, value: &[u8], start: usize) -> Result<(), WireFault> {
        if self.out.len() > start {
            self.out.push(b',');
        }
        self.value(plan, value)
    }

    /// Of several entries with one key the last wins; the keys come in order, so that equal maps print
    /// equally.
    fn map(&mut self, key: Scalar, field: &FieldPlan, place: Place, wire: &[u8]) -> Result<(), WireFault> {
        let mut entries: BTreeMap<Vec<u8>, Option<&[u8]>> = BTreeMap::new();
        for part in values(field.number, place, wire) {
            let (name, value) = entry(part?.1, key, &field.value)?;
            entries.insert(name, value);
        }
        self.out.push(b'{');
        let start = self.out.len();
        for (name, value) in entries {
            if self.out.len() > start {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&name);
            self.out.push(b':');
            match value {
                Some(value) => self.value(&field.value, value)?,
                None => self.default(&field.value)?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn value(&mut self, plan: &ValuePlan, value: &[u8]) -> Result<(), WireFault> {
        match plan {
            ValuePlan::Scalar(scalar) => scalar.write(&mut self.out, value),
            ValuePlan::Message(index) => self.message(*index, value),
            ValuePlan::WellKnown(known) => known.write(&mut self.out, value),
            ValuePlan::Enum(words) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "enums keep the low 32 bits, by definition"
                )]
                let number = varint(value)? as i32;
                match words.word(number) {
                    Some(word) => self.out.extend_from_slice(word),
                    None => write_signed(&mut self.out, number.into()),
                }
                Ok(())
            }
        }
    }

    fn default(&mut self, plan: &ValuePlan) -> Result<(), WireFault> {
        match plan {
            ValuePlan::Scalar(scalar) => {
                scalar.write_default(&mut self.out);
                Ok(())
            }
            ValuePlan::Enum(_) => self.value(plan, &[0]),
            ValuePlan::Message(_) | ValuePlan::WellKnown(_) => self.value(plan, &[]),
        }
    }
}
