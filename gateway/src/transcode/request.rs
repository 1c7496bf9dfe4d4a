//! Requests to messages: path beats query beats body, what the contract does not know is refused, and
//! the contract's rules are checked. It ends with the message; sending it is `upstream`'s affair.

mod bind;
mod mask;
mod scalar;
mod well_known;

use std::sync::Arc;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};
use proto::rules::Rules;
use proto::{ErrorCode, ServiceError, Violation};
use uuid::Uuid;

use super::json::{self, Json, Malformed, Members};
use super::text::{form_pairs, percent_decode};
use super::words::Words;
use bind::Binder;

/// Where a method's body goes.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyRule {
    /// It has none.
    None,
    /// Into the whole request; then there are no query parameters.
    Whole,
    /// Into one field.
    Field(FieldDescriptor),
}

/// The request field that a segment of the path is bound to.
#[derive(Clone, Debug)]
pub struct PathField {
    /// The fields on the way, the last a singular scalar.
    pub fields: Vec<FieldDescriptor>,
    /// Whether it names an object by UUID: what is none names nothing.
    pub id: bool,
}

/// How the requests of one binding are read.
#[derive(Debug)]
pub struct RequestPlan {
    /// The request message.
    pub input: MessageDescriptor,
    /// What the path is bound to.
    pub path: Vec<PathField>,
    /// What the body is bound to.
    pub body: BodyRule,
    /// The field that names what a PATCH changes, read off the body.
    pub mask: Option<FieldDescriptor>,
    /// Whether the body may be a form.
    pub accept_form: bool,
    /// The words of the contract's enums.
    pub words: Arc<Words>,
    /// The contract's rules.
    pub rules: Arc<Rules>,
}

/// The body of a request and what it says it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Body<'a> {
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl RequestPlan {
    /// The mask field of a request whose body is the field `body`: the only field mask there is.
    pub fn mask_field(
        input: &MessageDescriptor,
        verb: &http::Method,
        body: &BodyRule,
    ) -> Option<FieldDescriptor> {
        if verb != http::Method::PATCH || !matches!(body, BodyRule::Field(_)) {
            return None;
        }
        let is_mask = |field: &FieldDescriptor| {
            let kind = field.kind();
            !field.is_list()
                && kind.as_message().is_some_and(|kind| kind.full_name() == "google.protobuf.FieldMask")
        };
        let mut masks = input.fields().filter(is_mask);
        masks.next().filter(|_| masks.next().is_none())
    }

    /// Refuses a path whose ids are none: they name nothing. `path` holds the raw segments.
    pub fn check_path(&self, path: &[&str]) -> Result<(), ServiceError> {
        let is_id = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
        let nothing = self.path.iter().zip(path).any(|(field, text)| field.id && !is_id(text));
        if nothing { Err(ServiceError::new(ErrorCode::NotFound)) } else { Ok(()) }
    }

    /// Reads a request into its message, with every complaint at once.
    pub fn read(
        &self,
        path: &[&str],
        query: Option<&str>,
        body: Body<'_>,
    ) -> Result<DynamicMessage, ServiceError> {
        self.check_path(path)?;
        let mut message = DynamicMessage::new(self.input.clone());
        let mut binder = Binder::new(&self.words);
        self.bind_body(&mut binder, &mut message, body)?;
        self.bind_query(&mut binder, &mut message, query)?;
        for (field, raw) in self.path.iter().zip(path) {
            let text = percent_decode(raw).ok_or_else(|| malformed(Malformed("a path that is not UTF-8")))?;
            binder.path(&mut message, &field.fields, &text);
        }
        self.judge(message, binder)
    }

    /// Reads an object that stands for the whole message and did not come as a body.
    pub fn read_members(&self, members: &Members<'_>) -> Result<DynamicMessage, ServiceError> {
        let mut message = DynamicMessage::new(self.input.clone());
        let mut binder = Binder::new(&self.words);
        binder.object(&mut message, members, "").map_err(malformed)?;
        self.judge(message, binder)
    }

    /// The message, unless the binder or the contract's rules complain.
    fn judge(&self, message: DynamicMessage, binder: Binder<'_>) -> Result<DynamicMessage, ServiceError> {
        let mut violations = binder.into_violations();
        // A field that could not be read is complained of once, not again by its rule.
        let broken: Vec<String> = violations.iter().map(|violation| violation.field.clone()).collect();
        let ruled = self.rules.check(&message).into_iter();
        violations.extend(ruled.filter(|violation| !broken.contains(&violation.field)));
        if let BodyRule::Field(field) = &self.body {
            for violation in &mut violations {
                in_body(violation, field);
            }
        }
        if violations.is_empty() { Ok(message) } else { Err(invalid(violations)) }
    }

    fn bind_body(
        &self,
        binder: &mut Binder<'_>,
        message: &mut DynamicMessage,
        body: Body<'_>,
    ) -> Result<(), ServiceError> {
        if self.body == BodyRule::None {
            return Ok(());
        }
        if !body.bytes.is_empty() && self.accept_form && is_form(body.content_type) {
            let text = std::str::from_utf8(body.bytes).map_err(|_| malformed(Malformed("not UTF-8")))?;
            let pairs = form_pairs(text).ok_or_else(|| malformed(Malformed("not a form")))?;
            binder.pairs(message, &pairs, &[]);
            return Ok(());
        }
        let members = if body.bytes.is_empty() {
            Vec::new()
        } else {
            if !is_json(body.content_type) {
                return Err(ErrorCode::UnsupportedMediaType.into());
            }
            match json::parse(body.bytes).map_err(malformed)? {
                Json::Object(members) => members,
                _ => return Err(malformed(Malformed("no object"))),
            }
        };
        match &self.body {
            BodyRule::None => {}
            BodyRule::Whole => binder.object(message, &members, "").map_err(malformed)?,
            BodyRule::Field(field) => {
                let value = Json::Object(members);
                binder.field(message, field, &value, "").map_err(malformed)?;
                if let (Some(mask), Json::Object(members)) = (&self.mask, &value) {
                    mask::derive(message, mask, field, members);
                }
            }
        }
        Ok(())
    }

    fn bind_query(
        &self,
        binder: &mut Binder<'_>,
        message: &mut DynamicMessage,
        query: Option<&str>,
    ) -> Result<(), ServiceError> {
        let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(()) };
        let pairs = form_pairs(query).ok_or_else(|| malformed(Malformed("the query cannot be read")))?;
        match &self.body {
            BodyRule::Whole => binder.refuse(&pairs),
            BodyRule::None => binder.pairs(message, &pairs, &[]),
            BodyRule::Field(field) => binder.pairs(message, &pairs, std::slice::from_ref(field)),
        }
        Ok(())
    }
}

/// The text of a singular scalar in a message, by its field path; `None` where it is absent or empty.
pub fn text_at(message: &DynamicMessage, path: &[FieldDescriptor]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    match message.get_field(first).as_ref() {
        Value::String(text) if rest.is_empty() && !text.is_empty() => Some(text.clone()),
        Value::Message(nested) if !rest.is_empty() => text_at(nested, rest),
        _ => None,
    }
}

fn malformed(fault: Malformed) -> ServiceError {
    ServiceError::new(ErrorCode::MalformedRequest).source(fault.0)
}

/// The client knows the body; that it is one field of the message is the contract's affair.
fn in_body(violation: &mut Violation, body: &FieldDescriptor) {
    let inside = violation.field.strip_prefix(body.json_name()).and_then(|rest| rest.strip_prefix('.'));
    if let Some(inside) = inside {
        violation.field = inside.to_owned();
    }
}

fn invalid(violations: Vec<Violation>) -> ServiceError {
    ServiceError::new(ErrorCode::ValidationError).with_violations(violations)
}

fn is_json(content_type: Option<&str>) -> bool {
    media_type(content_type).is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
}

fn is_form(content_type: Option<&str>) -> bool {
    media_type(content_type)
        .is_some_and(|media| media.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn media_type(content_type: Option<&str>) -> Option<&str> {
    content_type.map(|text| text.split(';').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests;
