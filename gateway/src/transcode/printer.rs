//! Prints answers: JSON straight from the wire bytes, by a plan compiled per message when the edge
//! starts. It is the one printer; a message tree exists only in its tests, as the oracle.
//!
//! Defaults are printed, absent fields with presence are not; the last of several values of a field
//! wins and several parts of a message merge, as the wire format has it.

mod places;
mod plan;
mod scalar;
mod well_known;
mod wire;
mod writer;

use prost::Message;
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use proto::google::api::HttpBody;

pub use wire::WireFault;

use plan::Plans;
use wire::Cursor;
use writer::Writer;

/// What a page or an export is sent as: passed through, not printed.
const HTTP_BODY: &str = "google.api.HttpBody";

/// The plan by which one method's answers are printed.
#[derive(Debug)]
pub struct Printer(Form);

#[derive(Debug)]
enum Form {
    /// A message; `alone` is the place of the field that is the answer, where not all of it is.
    Json { plans: Plans, root: usize, alone: Option<usize> },
    /// A page, in the field of this number or the message itself.
    Raw(Option<u32>),
}

/// The body of an answer.
#[derive(Debug, PartialEq)]
pub enum Printed {
    /// JSON.
    Json(Vec<u8>),
    /// Whatever the service made.
    Raw(HttpBody),
}

impl Printer {
    /// Compiles the plan of a response message. Fails, saying why, on what JSON cannot show.
    pub fn compile(
        message: &MessageDescriptor,
        response_body: Option<&FieldDescriptor>,
    ) -> Result<Self, String> {
        let is_page = match response_body {
            Some(field) => !field.is_list() && is_page(field.kind().as_message()),
            None => is_page(Some(message)),
        };
        if is_page {
            return Ok(Self(Form::Raw(response_body.map(FieldDescriptor::number))));
        }
        let mut plans = Plans::default();
        let root = plans.add(message)?;
        let alone = response_body.and_then(|field| plans.message(root).place(field.number()));
        Ok(Self(Form::Json { plans, root, alone }))
    }

    /// Prints an answer. Fails where the bytes are no message of the type.
    pub fn print(&self, wire: &[u8]) -> Result<Printed, WireFault> {
        match &self.0 {
            Form::Json { plans, root, alone } => {
                // JSON is some times as long as the wire: names and quotes.
                let mut writer = Writer::new(plans, wire.len() * 2 + 64);
                match alone {
                    None => writer.message(*root, wire)?,
                    Some(place) => writer.field_alone(*root, *place, wire)?,
                }
                Ok(Printed::Json(writer.into_bytes()))
            }
            Form::Raw(field) => pass_through(*field, wire).map(Printed::Raw),
        }
    }
}

fn is_page(message: Option<&MessageDescriptor>) -> bool {
    message.is_some_and(|message| message.full_name() == HTTP_BODY)
}

fn pass_through(field: Option<u32>, wire: &[u8]) -> Result<HttpBody, WireFault> {
    let mut page = HttpBody::default();
    let mut merge = |part: &[u8]| page.merge(part).map_err(|_| WireFault("the page cannot be read"));
    match field {
        None => merge(wire)?,
        Some(field) => {
            let mut cursor = Cursor::new(wire);
            while !cursor.is_done() {
                let (number, kind) = cursor.tag()?;
                let part = cursor.value(kind)?;
                if number == field {
                    merge(part)?;
                }
            }
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests;
