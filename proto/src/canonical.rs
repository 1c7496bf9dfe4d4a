//! The one spelling under which addresses and numbers are stored, compared and counted. Whether mail
//! arrives there is not judged here.

use unicode_normalization::UnicodeNormalization;

/// The longest address, in bytes (RFC 5321, 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 254;
/// The longest part before the `@`, in bytes.
const LOCAL_BYTES_MAX: usize = 64;

/// An e-mail address trimmed, in lower case, in NFC, its domain in ASCII (IDNA 2008); `None` where it
/// is none. Quoted local parts and address literals are not accepted: nobody signs up with one, and
/// each is a way to write one address twice.
pub fn email(text: &str) -> Option<String> {
    let text: String = text.trim().nfc().flat_map(char::to_lowercase).nfc().collect();
    let (local, domain) = text.rsplit_once('@')?;
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX || dots || !local.chars().all(plain) {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let address = format!("{local}@{domain}");
    (!domain.is_empty() && !domain.ends_with('.') && address.len() <= EMAIL_BYTES_MAX).then_some(address)
}

/// A telephone number in E.164: `+`, then 7 to 15 digits; spaces, dots, dashes and brackets are
/// dropped. `None` where it is none.
pub fn phone(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !" .-()".contains(*c)).collect();
    let digits = text.strip_prefix('+')?;
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_address_has_one_spelling() {
        for text in ["Ana@Example.ORG", "  ana@example.org\n", "ANA@example.org"] {
            assert_eq!(email(text).as_deref(), Some("ana@example.org"));
        }
        assert_eq!(email("jos\u{e9}@b\u{fc}cher.de"), email("jose\u{301}@xn--bcher-kva.de"));
        assert_eq!(email("admin@localhost").as_deref(), Some("admin@localhost"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.d",
            ".a@b.c",
            "a..b@c.d",
            "a@b\r\nBcc: x@y.z",
            "a@b..c",
            "\"a b\"@c.d",
            "a@[127.0.0.1]",
        ] {
            assert_eq!(email(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_plus_and_digits() {
        assert_eq!(phone("+84 (90) 123-4567").as_deref(), Some("+84901234567"));
        for text in ["", "0901234567", "+0901234567", "+84abc1234", "+123", "+1234567890123456"] {
            assert_eq!(phone(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_spelling_is_its_own(text in "\\PC{0,20}@\\PC{0,20}") {
            if let Some(address) = email(&text) {
                prop_assert_eq!(email(&address), Some(address.clone()));
                prop_assert!(!address.contains(['\r', '\n', ' ']));
            }
        }
    }
}
