//! The validation rules of the contracts (`buf.validate`), compiled per message and checked on any
//! message of that type: by the edge before a call, by the mesh before a handler. A rule this module
//! does not know is refused when it is compiled, so that none is silently not enforced.

mod checks;
mod compile;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use crate::Violation;
use checks::Check;

/// How deep messages may nest and still be checked; the edge refuses deeper bodies.
const DEPTH_MAX: usize = 64;

/// The rules of one message type.
#[derive(Debug, Default)]
pub struct Rules {
    fields: Vec<FieldRules>,
}

/// A rule of the contract that is not understood.
#[derive(Debug)]
pub struct UnsupportedRule {
    /// The field that carries it.
    pub field: String,
    /// The rule.
    pub rule: String,
}

#[derive(Debug)]
struct FieldRules {
    field: FieldDescriptor,
    required: bool,
    checks: Vec<Check>,
    /// The rules of each item of a list, or of the value itself where it is a message.
    items: Vec<Check>,
    nested: Option<Rules>,
}

impl Rules {
    /// Reads the rules of a message type and of all it contains.
    pub fn compile(message: &MessageDescriptor) -> Result<Self, UnsupportedRule> {
        compile::message(message, &mut Vec::new())
    }

    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Everything that is wrong with a message of this type.
    pub fn check(&self, message: &DynamicMessage) -> Vec<Violation> {
        let mut violations = Vec::new();
        self.check_at("", message, DEPTH_MAX, &mut violations);
        violations
    }

    fn check_at(&self, path: &str, message: &DynamicMessage, depth: usize, found: &mut Vec<Violation>) {
        if depth == 0 {
            found.push(Violation { field: path.to_owned(), message: "is nested too deeply".to_owned() });
            return;
        }
        for rules in &self.fields {
            let path = join(path, rules.field.json_name());
            rules.check_at(&path, message, depth, found);
        }
    }
}

impl FieldRules {
    fn check_at(&self, path: &str, message: &DynamicMessage, depth: usize, found: &mut Vec<Violation>) {
        if !message.has_field(&self.field) {
            if self.required {
                found.push(violation(path, "is required"));
                return;
            }
            // A field with presence that is absent says nothing; one without has its zero value.
            if self.field.supports_presence() {
                return;
            }
        }
        let value = message.get_field(&self.field);
        run(&self.checks, path, &value, found);
        match value.as_ref() {
            Value::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    run(&self.items, &path, item, found);
                    self.descend(&path, item, depth, found);
                }
            }
            other => self.descend(path, other, depth, found),
        }
    }

    fn descend(&self, path: &str, value: &Value, depth: usize, found: &mut Vec<Violation>) {
        if let (Some(nested), Value::Message(message)) = (&self.nested, value) {
            nested.check_at(path, message, depth - 1, found);
        }
    }
}

fn run(checks: &[Check], path: &str, value: &Value, found: &mut Vec<Violation>) {
    // One complaint a field: the first rule is the one to mend first.
    if let Some(complaint) = checks.iter().find_map(|check| check.complaint(value)) {
        found.push(violation(path, complaint));
    }
}

fn violation(field: &str, message: impl Into<String>) -> Violation {
    Violation { field: field.to_owned(), message: message.into() }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Checks one message against the rules of its own type, compiling them on the way; for tests and
/// tools. Services compile once.
pub fn check_once(message: &DynamicMessage) -> Result<Vec<Violation>, UnsupportedRule> {
    Ok(Rules::compile(&message.descriptor())?.check(message))
}

#[cfg(test)]
mod tests;
