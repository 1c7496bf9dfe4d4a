//! Texts in JSON and in URLs: escaping, unescaping, nothing of their meaning.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes a text as a JSON string.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..index]);
        plain = index + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// Undoes percent-encoding; `None` where what comes out is no UTF-8 or a `%` stands alone.
pub fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    let well_formed = text
        .split('%')
        .skip(1)
        .all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if !well_formed {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// The pairs of a query or of a form (`application/x-www-form-urlencoded`), in order; `None` where one
/// cannot be read.
pub fn form_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let decode = |part: &str| percent_decode(&part.replace('+', " ")).map(Cow::into_owned);
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn written_texts_read_back(text in any::<String>()) {
            let mut out = Vec::new();
            write_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn no_query_makes_it_panic(text in any::<String>()) {
            let _ = form_pairs(&text);
        }
    }

    #[test]
    fn forms_are_decoded_after_they_are_split() {
        let pairs = form_pairs("a=1+2&b=%26%3D&&c").unwrap();
        let expected = [("a", "1 2"), ("b", "&="), ("c", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(pairs, expected);
        assert_eq!(form_pairs("a=%ff"), None);
        assert_eq!(form_pairs("a=%2"), None);
    }
}
