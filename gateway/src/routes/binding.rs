//! One HTTP binding of a method: its verb, its template, and where path, query and body go. Checked
//! against the request and response messages when the edge starts.

use http::Method as Verb;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::google::api::{HttpRule, http_rule::Pattern};

use super::template::Template;
use crate::contract::{field_path, top_level, wants_uuid};
use crate::transcode::request::{BodyRule, PathField};

/// A binding that the edge can serve.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The verb.
    pub verb: Verb,
    /// The path.
    pub template: Template,
    /// What the path's segments are bound to, in order.
    pub path: Vec<PathField>,
    /// What the body is bound to.
    pub body: BodyRule,
    /// The field of the response that is the answer, where not all of it is.
    pub response_body: Option<FieldDescriptor>,
}

/// Every binding of a rule: its own and its additional ones, which have none of their own.
pub(super) fn read_all(rule: &HttpRule, method: &MethodDescriptor) -> Result<Vec<Binding>, String> {
    let nested = rule.additional_bindings.iter().any(|binding| !binding.additional_bindings.is_empty());
    if nested {
        return Err("additional bindings have no additional bindings of their own".to_owned());
    }
    std::iter::once(rule).chain(&rule.additional_bindings).map(|rule| read(rule, method)).collect()
}

fn read(rule: &HttpRule, method: &MethodDescriptor) -> Result<Binding, String> {
    let (verb, path) = match rule.pattern.as_ref().ok_or("the HTTP rule has no path")? {
        Pattern::Get(path) => (Verb::GET, path),
        Pattern::Put(path) => (Verb::PUT, path),
        Pattern::Post(path) => (Verb::POST, path),
        Pattern::Delete(path) => (Verb::DELETE, path),
        Pattern::Patch(path) => (Verb::PATCH, path),
        Pattern::Custom(custom) => return Err(format!("the verb `{}` is not supported", custom.kind)),
    };
    let template = Template::parse(path)?;
    let input = method.input();
    let path = template.fields().map(|name| path_field(name, &input)).collect::<Result<_, _>>()?;
    let body = match rule.body.as_str() {
        "" => BodyRule::None,
        _ if verb == Verb::GET => return Err("GET has no body".to_owned()),
        "*" => BodyRule::Whole,
        name => BodyRule::Field(top_level(name, &input)?),
    };
    let response_body = match rule.response_body.as_str() {
        "" => None,
        name => Some(top_level(name, &method.output())?),
    };
    Ok(Binding { verb, template, path, body, response_body })
}

fn path_field(path: &str, input: &MessageDescriptor) -> Result<PathField, String> {
    let fields = field_path(path, input)?;
    let Some(last) = fields.last() else { return Err("a path field without a name".to_owned()) };
    if last.is_list() || last.is_map() || matches!(last.kind(), Kind::Message(_)) {
        return Err(format!("path field `{path}` is no singular scalar"));
    }
    let named = last.name() == "id" || last.name().ends_with("_id");
    let id = matches!(last.kind(), Kind::String) && (named || wants_uuid(last));
    Ok(PathField { fields, id })
}
