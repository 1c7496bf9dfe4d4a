//! Whom a message goes to, and by which name it may call them.

use uuid::Uuid;

/// The longest name a message speaks, in characters.
const NAME_CHARS_MAX: usize = 64;

/// How to reach and address a user; asked for when it is needed and kept nowhere.
pub(crate) struct Recipient {
    /// The user's tenant.
    pub(crate) tenant_id: Uuid,
    /// The address, where there is one.
    pub(crate) email: Option<String>,
    /// The preferred language, as a BCP 47 tag.
    pub(crate) locale: String,
    /// The name the user chose.
    pub(crate) display_name: Option<String>,
}

impl Recipient {
    /// The name where it is one. Whoever registers with somebody else's address chooses the name that
    /// our mail to that address speaks: nothing that could be a link or a sentence gets through.
    pub(crate) fn speakable_name(&self) -> Option<&str> {
        let name = self.display_name.as_deref()?.trim();
        let spoken = |c: char| c.is_alphanumeric() || " .'’-".contains(c) || is_mark(c);
        let words = name.split_whitespace().count();
        let domain_like = name.split(' ').any(|word| word.trim_end_matches('.').contains('.'));
        let fits = name.chars().count() <= NAME_CHARS_MAX && (1..=5).contains(&words) && !domain_like;
        (fits && name.chars().all(spoken)).then_some(name)
    }
}

/// Combining marks that decomposed names carry.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Recipient {
        Recipient {
            tenant_id: Uuid::nil(),
            email: None,
            locale: String::new(),
            display_name: Some(name.to_owned()),
        }
    }

    #[test]
    fn names_are_spoken() {
        for name in ["Ana", "Nguyễn Thị Ánh", "O'Neill-Smith", "Martin L. King Jr.", "José", "李雷"] {
            assert_eq!(named(name).speakable_name(), Some(name));
        }
    }

    #[test]
    fn what_could_be_a_link_a_header_or_a_sentence_is_not() {
        for name in [
            "",
            "Ana\r\nBcc: x@example.org",
            "http://example.org",
            "www.example.org",
            "example.org",
            "<b>Ana</b>",
            "You have won, go to our site now and collect",
            &"a".repeat(65),
        ] {
            assert_eq!(named(name).speakable_name(), None, "{name:?}");
        }
    }
}
