//! From the options in the descriptors to rules; nothing here sees a message.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use regex::Regex;

use super::checks::{Check, Number};
use super::{FieldRules, Rules, UnsupportedRule};

/// Reads a message type's rules. `within` holds the types being read: one that contains itself is
/// checked at its first level.
pub(super) fn message(
    message: &MessageDescriptor,
    within: &mut Vec<String>,
) -> Result<Rules, UnsupportedRule> {
    if within.iter().any(|name| name == message.full_name())
        || message.full_name().starts_with("google.protobuf.")
    {
        return Ok(Rules::default());
    }
    within.push(message.full_name().to_owned());
    let mut fields = Vec::new();
    for descriptor in message.fields() {
        let rules = field(descriptor, within)?;
        let idle =
            rules.nested.is_none() && !rules.required && rules.checks.is_empty() && rules.items.is_empty();
        if !idle {
            fields.push(rules);
        }
    }
    within.pop();
    Ok(Rules { fields })
}

fn field(field: FieldDescriptor, within: &mut Vec<String>) -> Result<FieldRules, UnsupportedRule> {
    let nested = match field.kind() {
        Kind::Message(kind) if !field.is_map() => {
            Some(message(&kind, within)?).filter(|rules| !rules.is_empty())
        }
        _ => None,
    };
    let mut rules = FieldRules { required: false, checks: Vec::new(), items: Vec::new(), nested, field };
    let Some(declared) = declared_rules(&rules.field) else {
        return Ok(rules);
    };
    for (descriptor, value) in declared.fields() {
        match (descriptor.name(), value) {
            ("required", Value::Bool(required)) => rules.required = *required,
            ("repeated", Value::Message(list)) => read_list(list, &mut rules)?,
            (_, Value::Message(kind)) => rules.checks.extend(read_checks(kind, &rules.field)?),
            (name, _) => return Err(unsupported(&rules.field, name)),
        }
    }
    Ok(rules)
}

fn declared_rules(field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = field.parent_pool().get_extension_by_name("buf.validate.field")?;
    let options = field.options();
    let declared =
        options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())?;
    declared.as_message().cloned()
}

fn read_list(list: &DynamicMessage, rules: &mut FieldRules) -> Result<(), UnsupportedRule> {
    for (descriptor, value) in list.fields() {
        match (descriptor.name(), value) {
            ("min_items", Value::U64(least)) => rules.checks.push(Check::ItemsMin(*least)),
            ("max_items", Value::U64(most)) => rules.checks.push(Check::ItemsMax(*most)),
            ("unique", Value::Bool(true)) => rules.checks.push(Check::Unique),
            ("items", Value::Message(items)) => {
                for (_, kind) in items.fields() {
                    let Value::Message(kind) = kind else {
                        return Err(unsupported(&rules.field, "items"));
                    };
                    rules.items.extend(read_checks(kind, &rules.field)?);
                }
            }
            (name, _) => return Err(unsupported(&rules.field, name)),
        }
    }
    Ok(())
}

fn read_checks(kind: &DynamicMessage, field: &FieldDescriptor) -> Result<Vec<Check>, UnsupportedRule> {
    kind.fields()
        .map(|(descriptor, value)| {
            read_check(descriptor.name(), value, field).ok_or_else(|| unsupported(field, descriptor.name()))
        })
        .collect()
}

fn read_check(rule: &str, value: &Value, field: &FieldDescriptor) -> Option<Check> {
    Some(match (rule, value) {
        ("min_len", Value::U64(least)) => Check::LengthMin(*least),
        ("max_len", Value::U64(most)) => Check::LengthMax(*most),
        ("max_bytes", Value::U64(most)) => Check::BytesMax(*most),
        ("pattern", Value::String(pattern)) => Check::Pattern(Regex::new(pattern).ok()?),
        ("uuid", Value::Bool(true)) => Check::Uuid,
        ("in", Value::List(values)) => Check::In(values.clone()),
        ("not_in", Value::List(values)) => Check::NotIn(values.clone()),
        ("const", value) => Check::In(vec![value.clone()]),
        ("defined_only", Value::Bool(true)) => match field.kind() {
            Kind::Enum(kind) => Check::Defined(kind),
            _ => return None,
        },
        ("gte", value) => Check::AtLeast(Number::of(value)?),
        ("lte", value) => Check::AtMost(Number::of(value)?),
        ("gt", value) => Check::Above(Number::of(value)?),
        ("lt", value) => Check::Below(Number::of(value)?),
        _ => return None,
    })
}

fn unsupported(field: &FieldDescriptor, rule: &str) -> UnsupportedRule {
    UnsupportedRule { field: field.full_name().to_owned(), rule: rule.to_owned() }
}
