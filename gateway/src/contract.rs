//! Reads what the contracts say of methods, fields and enum values in their options, and finds fields
//! by name; judges nothing.

use std::borrow::Cow;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumValueDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    MethodDescriptor,
};
use proto::edge::{FieldPolicy, Policy};
use proto::google::api::HttpRule;

/// How the outside reaches a method, where it does.
pub(crate) fn http_rule(method: &MethodDescriptor) -> Option<HttpRule> {
    read(method.parent_pool(), &method.options(), "google.api.http")
}

/// How the edge guards a method, where the contract says so.
pub(crate) fn policy(method: &MethodDescriptor) -> Option<Policy> {
    read(method.parent_pool(), &method.options(), "platform.edge.v1.policy")
}

/// How the edge treats a field.
pub(crate) fn field_policy(field: &FieldDescriptor) -> FieldPolicy {
    read(field.parent_pool(), &field.options(), "platform.edge.v1.field").unwrap_or_default()
}

/// The word of an enum value in JSON, where the contract gives one.
pub(crate) fn json_word(value: &EnumValueDescriptor) -> Option<String> {
    let extension = value.parent_pool().get_extension_by_name("platform.edge.v1.json")?;
    let options = value.options();
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_str().map(str::to_owned)
}

/// Whether the contract's rules want a UUID in the field.
pub(crate) fn wants_uuid(field: &FieldDescriptor) -> bool {
    let options = field.options();
    let Some(extension) = field.parent_pool().get_extension_by_name("buf.validate.field") else {
        return false;
    };
    if !options.has_extension(&extension) {
        return false;
    }
    let rules = options.get_extension(&extension);
    let text = rules.as_message().and_then(|rules| rules.get_field_by_name("string").map(Cow::into_owned));
    let uuid = text.as_ref().and_then(|text| text.as_message()?.get_field_by_name("uuid")?.as_bool());
    uuid == Some(true)
}

/// A field of a message itself.
pub(crate) fn top_level(name: &str, message: &MessageDescriptor) -> Result<FieldDescriptor, String> {
    message.get_field_by_name(name).ok_or_else(|| format!("{} has no field `{name}`", message.full_name()))
}

/// The fields a dotted path goes through; all but the last are singular messages.
pub(crate) fn field_path(path: &str, message: &MessageDescriptor) -> Result<Vec<FieldDescriptor>, String> {
    let mut fields: Vec<FieldDescriptor> = Vec::new();
    for name in path.split('.') {
        let within = match fields.last() {
            None => message.clone(),
            Some(field) => match field.kind() {
                Kind::Message(kind) if !field.is_list() && !field.is_map() => kind,
                _ => return Err(format!("`{path}` goes through `{}`, which is no message", field.name())),
            },
        };
        fields.push(top_level(name, &within)?);
    }
    Ok(fields)
}

fn read<T: Message + Default>(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<T> {
    let extension = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message()?.transcode_to().ok()
}
