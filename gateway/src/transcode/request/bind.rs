//! Puts JSON values, query pairs and path segments into a message, and notes every complaint by the
//! path of its field. Only a field given twice under two names ends the reading at once.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use proto::Violation;

use super::scalar;
use super::well_known::{self, WellKnown};
use crate::transcode::json::{Json, Malformed, Members};
use crate::transcode::words::Words;

/// At most so many complaints are answered: a body of nothing but faults is not worth more.
const VIOLATIONS_MAX: usize = 64;
/// So much of a field's path is repeated in a complaint.
const FIELD_CHARS_MAX: usize = 200;

pub(super) struct Binder<'w> {
    words: &'w Words,
    violations: Vec<Violation>,
}

impl<'w> Binder<'w> {
    pub(super) fn new(words: &'w Words) -> Self {
        Self { words, violations: Vec::new() }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// Binds the members of an object to a message.
    pub(super) fn object(
        &mut self,
        message: &mut DynamicMessage,
        members: &Members<'_>,
        path: &str,
    ) -> Result<(), Malformed> {
        let mut seen: Vec<u32> = Vec::with_capacity(members.len());
        let kind = prost_reflect::ReflectMessage::descriptor(message);
        for (key, value) in members {
            let Some(field) = field_named(&kind, key) else {
                self.complain(&join(path, key), "is not known");
                continue;
            };
            if seen.contains(&field.number()) {
                return Err(Malformed("a field twice, under two names"));
            }
            seen.push(field.number());
            self.field(message, &field, value, path)?;
        }
        Ok(())
    }

    /// Binds a value to a field of a message; `null` leaves it unset.
    pub(super) fn field(
        &mut self,
        message: &mut DynamicMessage,
        field: &FieldDescriptor,
        value: &Json<'_>,
        path: &str,
    ) -> Result<(), Malformed> {
        if *value == Json::Null && !well_known::takes_null(&field.kind()) {
            return Ok(());
        }
        let path = join(path, field.json_name());
        let rival = field.containing_oneof().is_some_and(|oneof| {
            !oneof.is_synthetic() && oneof.fields().any(|other| other != *field && message.has_field(&other))
        });
        if rival {
            self.complain(&path, "excludes another field that is given");
            return Ok(());
        }
        let bound = if field.is_map() {
            self.map(field, value, &path)?
        } else if field.is_list() {
            self.list(field, value, &path)?
        } else {
            self.value(&field.kind(), value, &path)?
        };
        if let Some(bound) = bound {
            message.set_field(field, bound);
        }
        Ok(())
    }

    fn map(
        &mut self,
        field: &FieldDescriptor,
        value: &Json<'_>,
        path: &str,
    ) -> Result<Option<Value>, Malformed> {
        let (Json::Object(members), Kind::Message(entry)) = (value, field.kind()) else {
            self.complain(path, "must be an object");
            return Ok(None);
        };
        let (key_kind, value_kind) =
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let mut map = std::collections::HashMap::<MapKey, Value>::with_capacity(members.len());
        for (key, value) in members {
            let path = join(path, key);
            let Some(map_key) =
                scalar::from_text(&key_kind, key, self.words).ok().and_then(Value::into_map_key)
            else {
                self.complain(&path, "is no key of this map");
                continue;
            };
            if map.contains_key(&map_key) {
                return Err(Malformed("a map's key twice"));
            }
            if let Some(value) = self.value(&value_kind, value, &path)? {
                map.insert(map_key, value);
            }
        }
        Ok(Some(Value::Map(map)))
    }

    fn list(
        &mut self,
        field: &FieldDescriptor,
        value: &Json<'_>,
        path: &str,
    ) -> Result<Option<Value>, Malformed> {
        let Json::List(items) = value else {
            self.complain(path, "must be a list");
            return Ok(None);
        };
        let kind = field.kind();
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            list.extend(self.value(&kind, item, &format!("{path}[{index}]"))?);
        }
        Ok(Some(Value::List(list)))
    }

    fn value(&mut self, kind: &Kind, value: &Json<'_>, path: &str) -> Result<Option<Value>, Malformed> {
        let Kind::Message(message) = kind else {
            return Ok(self.note(scalar::from_json(kind, value, self.words), path));
        };
        if let Some(known) = WellKnown::of(message) {
            return Ok(self.note(known.read_json(message, value), path));
        }
        let Json::Object(members) = value else {
            self.complain(path, "must be an object");
            return Ok(None);
        };
        let mut nested = DynamicMessage::new(message.clone());
        self.object(&mut nested, members, path)?;
        Ok(Some(Value::Message(nested)))
    }

    /// Binds query or form pairs: `a.b=c`, lists by repetition. `taken` fields belong to the body.
    pub(super) fn pairs(
        &mut self,
        message: &mut DynamicMessage,
        pairs: &[(String, String)],
        taken: &[FieldDescriptor],
    ) {
        let mut seen: Vec<Vec<u32>> = Vec::new();
        let kind = prost_reflect::ReflectMessage::descriptor(message);
        for (name, text) in pairs {
            let way =
                way_to(&kind, name).filter(|way| way.first().is_some_and(|first| !taken.contains(first)));
            let Some(way) = way else {
                self.complain(name, "is not known");
                continue;
            };
            let place: Vec<u32> = way.iter().map(FieldDescriptor::number).collect();
            let again = seen.contains(&place);
            seen.push(place);
            if again && !way.last().is_some_and(FieldDescriptor::is_list) {
                self.complain(&spell(&way), "is given twice");
                continue;
            }
            self.path(message, &way, text);
        }
    }

    /// Refuses every pair: the method has no query parameters.
    pub(super) fn refuse(&mut self, pairs: &[(String, String)]) {
        for (name, _) in pairs {
            self.complain(name, "is not known");
        }
    }

    /// Binds a text to the field at the end of a way through singular messages.
    pub(super) fn path(&mut self, message: &mut DynamicMessage, way: &[FieldDescriptor], text: &str) {
        let Some((last, before)) = way.split_last() else { return };
        let parsed = match last.kind() {
            Kind::Message(kind) => match WellKnown::of(&kind) {
                Some(known) => known.read_text(&kind, text),
                None => Err("is no single value"),
            },
            kind => scalar::from_text(&kind, text, self.words),
        };
        let Some(value) = self.note(parsed, &spell(way)) else { return };
        let mut within = message;
        for field in before {
            let Some(next) = within.get_field_mut(field).as_message_mut() else { return };
            within = next;
        }
        if let (true, Some(list)) = (last.is_list(), within.get_field_mut(last).as_list_mut()) {
            list.push(value);
        } else {
            within.set_field(last, value);
        }
    }

    fn note(&mut self, parsed: Result<Value, &'static str>, path: &str) -> Option<Value> {
        parsed.map_err(|complaint| self.complain(path, complaint)).ok()
    }

    fn complain(&mut self, field: &str, message: &str) {
        if self.violations.len() < VIOLATIONS_MAX {
            // An unknown name comes from outside: neither its length nor its characters are ours to trust.
            let field = field.chars().flat_map(proto::visible).take(FIELD_CHARS_MAX).collect();
            self.violations.push(Violation { field, message: message.to_owned() });
        }
    }
}

/// A field by its name in JSON or in the contract.
fn field_named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// The fields that `a.b` goes through; repeated messages and maps are no way.
fn way_to(message: &MessageDescriptor, name: &str) -> Option<Vec<FieldDescriptor>> {
    let mut way: Vec<FieldDescriptor> = Vec::new();
    for part in name.split('.') {
        let field = match way.last() {
            None => field_named(message, part)?,
            Some(field) if field.is_list() || field.is_map() => return None,
            Some(field) => field_named(field.kind().as_message()?, part)?,
        };
        way.push(field);
    }
    let last = way.last()?;
    (!last.is_map()).then_some(way)
}

fn spell(way: &[FieldDescriptor]) -> String {
    way.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".")
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
