//! The strings and numbers of JSON, letter by letter.

use std::borrow::Cow;

use super::{Json, Malformed, Reader};

impl<'a> Reader<'a> {
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut plain = start;
        loop {
            match self.peek().ok_or(Malformed("a string has no end"))? {
                b'"' => {
                    let rest = &self.text[plain..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(text) => Cow::Owned(text + rest),
                    });
                }
                b'\\' => {
                    let text = owned.get_or_insert_default();
                    text.push_str(&self.text[plain..self.at]);
                    let letter = self.escape()?;
                    text.push(letter);
                    plain = self.at;
                }
                0..=0x1f => return Err(Malformed("a control character in a string")),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        self.at += 2;
        Ok(match self.text.as_bytes().get(self.at - 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(Malformed("an unknown escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Malformed> {
        const LONE: Malformed = Malformed("half a surrogate pair");
        let high = self.hex()?;
        let code = match high {
            0xd800..=0xdbff => {
                if self.text.as_bytes().get(self.at..self.at + 2) != Some(b"\\u") {
                    return Err(LONE);
                }
                self.at += 2;
                let low = self.hex()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(LONE);
                }
                0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(LONE)
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let fault = Malformed("an escape without four digits");
        let digits = self.text.get(self.at..self.at + 4).ok_or(fault)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| fault)
    }

    pub(super) fn number(&mut self) -> Result<Json<'a>, Malformed> {
        let fault = Err(Malformed("not a number"));
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.text.as_bytes()[self.at - whole] == b'0') {
            return fault;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return fault;
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return fault;
            }
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }
}
