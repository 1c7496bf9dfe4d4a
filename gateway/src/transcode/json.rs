//! A strict JSON reader (RFC 8259): UTF-8 only, no key twice in an object, at most [`DEPTH_MAX`] levels.
//! It gives the syntax tree of a request's body; what the values mean is the binder's affair.

mod lexis;

use std::borrow::Cow;
use std::collections::HashSet;

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;

/// Above so many keys a set finds doubles faster than comparing each with each.
const FEW_KEYS: usize = 16;

/// A JSON value; numbers stay as they were written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number's digits.
    Number(&'a str),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object, its members in order.
    Object(Members<'a>),
}

/// The members of an object.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Why a text is no JSON that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Reads a whole text as one value.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH_MAX)?;
    reader.space();
    if reader.at < text.len() {
        return Err(Malformed("text after the value"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(Malformed("a value is missing")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed("nested too deeply"))?;
        self.at += 1;
        let mut members: Members<'a> = Vec::new();
        if self.closes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(Malformed("a key is missing"));
            }
            let key = self.string()?;
            self.space();
            self.take(b':')?;
            members.push((key, self.value(depth)?));
            if self.closes(b'}') {
                break;
            }
            self.take(b',')?;
        }
        if has_double(&members) {
            return Err(Malformed("a key twice"));
        }
        Ok(Json::Object(members))
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed("nested too deeply"))?;
        self.at += 1;
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.closes(b']') {
                return Ok(Json::List(items));
            }
            self.take(b',')?;
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Malformed> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Malformed("a value is missing"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn closes(&mut self, bracket: u8) -> bool {
        self.space();
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    fn take(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed("a comma, a colon or a bracket is missing"));
        }
        self.at += 1;
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

fn has_double(members: &Members<'_>) -> bool {
    if members.len() <= FEW_KEYS {
        return members
            .iter()
            .enumerate()
            .any(|(at, (key, _))| members[..at].iter().any(|(other, _)| other == key));
    }
    let mut seen = HashSet::with_capacity(members.len());
    members.iter().any(|(key, _)| !seen.insert(key.as_ref()))
}

#[cfg(test)]
mod tests;
