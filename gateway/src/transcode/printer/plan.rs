//! What the printer knows of a message type before it sees a message: keys, kinds, words, defaults.

use std::collections::HashMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::scalar::Scalar;
use super::well_known::WellKnown;
use crate::transcode::text::write_text;
use crate::transcode::words;

/// Field numbers up to this are found by index, the others by search.
const DENSE_MAX: u32 = 64;
const NOWHERE: u16 = u16::MAX;

/// The plans of a message type and of all it contains.
#[derive(Debug, Default)]
pub(super) struct Plans {
    messages: Vec<MessagePlan>,
    by_name: HashMap<String, usize>,
}

/// One message type.
#[derive(Debug, Default)]
pub(super) struct MessagePlan {
    pub(super) fields: Vec<FieldPlan>,
    dense: Vec<u16>,
}

/// One field.
#[derive(Debug)]
pub(super) struct FieldPlan {
    pub(super) number: u32,
    /// `"displayName":`, ready to be written.
    pub(super) key: Vec<u8>,
    pub(super) shape: Shape,
    pub(super) value: ValuePlan,
    /// The oneof whose members exclude each other, by its index.
    pub(super) oneof: Option<usize>,
}

/// How often a field's value may be there.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    /// Once, and its absence shows.
    Present,
    /// Once, and its absence is its default.
    Implicit,
    List,
    Map(Scalar),
}

/// How a value is printed.
#[derive(Debug)]
pub(super) enum ValuePlan {
    Scalar(Scalar),
    Enum(EnumPlan),
    Message(usize),
    WellKnown(WellKnown),
}

/// The words of an enum, quoted and ready to be written.
#[derive(Debug)]
pub(super) struct EnumPlan {
    words: Vec<(i32, Vec<u8>)>,
}

impl Plans {
    pub(super) fn message(&self, index: usize) -> &MessagePlan {
        &self.messages[index]
    }

    /// Compiles a message type unless it is there, and says where it is.
    pub(super) fn add(&mut self, message: &MessageDescriptor) -> Result<usize, String> {
        if let Some(index) = self.by_name.get(message.full_name()) {
            return Ok(*index);
        }
        // Reserved before the fields are read: a type may contain itself.
        let index = self.messages.len();
        self.messages.push(MessagePlan::default());
        self.by_name.insert(message.full_name().to_owned(), index);
        let fields = message.fields().map(|field| self.field(&field)).collect::<Result<Vec<_>, _>>()?;
        self.messages[index] = MessagePlan::new(fields);
        Ok(index)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<FieldPlan, String> {
        if field.is_group() {
            return Err(format!("{} is a group, which JSON cannot show", field.full_name()));
        }
        let (shape, value) = if field.is_map() {
            let Kind::Message(entry) = field.kind() else {
                return Err(format!("{} is a map without entries", field.full_name()));
            };
            let key = Scalar::of(&entry.map_entry_key_field().kind());
            let key = key.ok_or_else(|| format!("{} has a key that is no scalar", field.full_name()))?;
            (Shape::Map(key), self.value(&entry.map_entry_value_field().kind())?)
        } else {
            let shape = match field {
                field if field.is_list() => Shape::List,
                field if field.supports_presence() => Shape::Present,
                _ => Shape::Implicit,
            };
            (shape, self.value(&field.kind())?)
        };
        let mut key = Vec::new();
        write_text(&mut key, field.json_name());
        key.push(b':');
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let oneof =
            oneof.and_then(|oneof| oneof.path().last().and_then(|index| usize::try_from(*index).ok()));
        Ok(FieldPlan { number: field.number(), key, shape, value, oneof })
    }

    fn value(&mut self, kind: &Kind) -> Result<ValuePlan, String> {
        if let Some(scalar) = Scalar::of(kind) {
            return Ok(ValuePlan::Scalar(scalar));
        }
        match kind {
            Kind::Enum(kind) if kind.full_name() == "google.protobuf.NullValue" => {
                Ok(ValuePlan::Enum(EnumPlan { words: vec![(0, b"null".to_vec())] }))
            }
            Kind::Enum(kind) => Ok(ValuePlan::Enum(EnumPlan::new(kind))),
            Kind::Message(message) => match WellKnown::of(message)? {
                Some(known) => Ok(ValuePlan::WellKnown(known)),
                None => self.add(message).map(ValuePlan::Message),
            },
            _ => Err("a kind that is not known".to_owned()),
        }
    }
}

impl MessagePlan {
    fn new(fields: Vec<FieldPlan>) -> Self {
        let widest = fields.iter().map(|field| field.number).filter(|number| *number <= DENSE_MAX).max();
        let mut dense = vec![NOWHERE; widest.map_or(0, |number| number as usize + 1)];
        for (place, field) in fields.iter().enumerate() {
            if let Some(slot) = dense.get_mut(field.number as usize) {
                *slot = u16::try_from(place).unwrap_or(NOWHERE);
            }
        }
        Self { fields, dense }
    }

    /// Where the field of this number stands among the fields.
    pub(super) fn place(&self, number: u32) -> Option<usize> {
        if number <= DENSE_MAX {
            let place = self.dense.get(number as usize).copied().unwrap_or(NOWHERE);
            return (place != NOWHERE).then_some(place.into());
        }
        self.fields.iter().position(|field| field.number == number)
    }
}

impl EnumPlan {
    fn new(kind: &EnumDescriptor) -> Self {
        let quoted = words::printed(kind).into_iter().map(|(number, word)| {
            let mut quoted = Vec::new();
            write_text(&mut quoted, &word);
            (number, quoted)
        });
        Self { words: quoted.collect() }
    }

    pub(super) fn word(&self, number: i32) -> Option<&[u8]> {
        self.words.iter().find(|(known, _)| *known == number).map(|(_, word)| word.as_slice())
    }
}
