//! What a PATCH changes, read off its body: the leaves of the JSON. Lists, maps and values without a
//! message of their own are replaced whole; `null` clears.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use prost_types::FieldMask;

use crate::transcode::json::{Json, Members};

/// Sets the mask field of `message` to what `members`, the body of `field`, name.
pub(super) fn derive(
    message: &mut DynamicMessage,
    mask: &FieldDescriptor,
    field: &FieldDescriptor,
    members: &Members<'_>,
) {
    let (Kind::Message(resource), Kind::Message(mask_kind)) = (field.kind(), mask.kind()) else { return };
    let mut paths = Vec::new();
    collect(&resource, members, "", &mut paths);
    let mut derived = DynamicMessage::new(mask_kind);
    if derived.transcode_from(&FieldMask { paths }).is_ok() {
        message.set_field(mask, Value::Message(derived));
    }
}

fn collect(message: &MessageDescriptor, members: &Members<'_>, path: &str, paths: &mut Vec<String>) {
    for (key, value) in members {
        // What is not known was complained of already.
        let field = message.get_field_by_json_name(key).or_else(|| message.get_field_by_name(key));
        let Some(field) = field else { continue };
        let path = if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        match (field.kind(), value) {
            (Kind::Message(nested), Json::Object(members))
                if !field.is_map() && !members.is_empty() && !is_well_known(&nested) =>
            {
                collect(&nested, members, &path, paths);
            }
            _ => paths.push(path),
        }
    }
}

fn is_well_known(message: &MessageDescriptor) -> bool {
    message.full_name().starts_with("google.protobuf.")
}
