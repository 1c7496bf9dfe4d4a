//! Which passwords are accepted, after NIST SP 800-63B: a length, a list of those that are guessed
//! first, and no rules of composition. How they are hashed is `hasher`'s.

use proto::ServiceError;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// The fewest code points a password has.
pub const LENGTH_MIN: usize = 8;
/// The most code points a password has; none is ever cut.
pub const LENGTH_MAX: usize = 128;

/// Passwords that are guessed first, a line each, in lower case.
const GUESSED_FIRST: &str = include_str!("password/guessed_first.txt");
/// Words of the platform itself that a password may not be made of alone.
const OWN_WORDS: [&str; 3] = ["platform", "password", "passwort"];

/// A password in the one spelling that is hashed: NFKC, so that two keyboards write the same one.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// A password as it was typed, to be verified. It is not judged: a policy that was tightened
    /// locks nobody out.
    pub fn typed(text: &str) -> Self {
        Self(text.nfkc().collect::<String>().into())
    }

    /// A password for an account that is known by these names, to be set. `field` is where the
    /// request carries it.
    pub fn chosen(field: &str, text: &str, names: &[&str]) -> Result<Self, ServiceError> {
        let password = Self::typed(text);
        match complaint(password.0.expose_secret(), names) {
            Some(complaint) => Err(ServiceError::invalid(field, complaint)),
            None => Ok(password),
        }
    }

    /// The bytes to hash.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

fn complaint(password: &str, names: &[&str]) -> Option<&'static str> {
    let length = password.chars().count();
    if length < LENGTH_MIN {
        return Some("must have at least 8 characters");
    }
    if length > LENGTH_MAX {
        return Some("must have at most 128 characters");
    }
    let lower = password.to_lowercase();
    if GUESSED_FIRST.lines().any(|known| known == lower) {
        return Some("is one of the passwords that are guessed first");
    }
    if is_repetition(&lower) {
        return Some("must not repeat the same few characters");
    }
    let own = OWN_WORDS.iter().copied().chain(names.iter().copied());
    if own.filter(|word| word.len() >= 3).any(|word| is_made_of(&lower, &word.to_lowercase())) {
        return Some("must not be made of a name of yours or ours");
    }
    None
}

/// Whether one to three characters are repeated to make it.
fn is_repetition(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    (1..=3).any(|period| {
        characters.iter().skip(period).zip(&characters).all(|(later, earlier)| later == earlier)
    })
}

/// Whether nothing but digits and punctuation is left when the word is taken away.
fn is_made_of(password: &str, word: &str) -> bool {
    password.contains(word) && !password.replace(word, "").chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<(), String> {
        Password::chosen("password", text, &["ana@example.org", "ana.tran"])
            .map(|_| ())
            .map_err(|error| error.violations()[0].message.clone())
    }

    #[test]
    fn long_plain_and_foreign_passwords_are_accepted() {
        for text in ["correct horse battery", "aaaa bbbb cccc dddd", "mật khẩu dài lắm", &"xy z".repeat(32)]
        {
            assert_eq!(judge(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_length_is_counted_in_code_points() {
        assert!(judge("ééééééé").is_err());
        assert_eq!(judge("é1é2é3é4"), Ok(()));
        assert!(judge(&"ab c".repeat(33)).is_err());
    }

    #[test]
    fn what_is_guessed_first_is_refused_with_the_reason() {
        assert_eq!(judge("Password1").unwrap_err(), "is one of the passwords that are guessed first");
        assert_eq!(judge("abababababab").unwrap_err(), "must not repeat the same few characters");
        assert_eq!(judge("passwordpassword").unwrap_err(), "must not be made of a name of yours or ours");
        assert_eq!(judge("ana.tran2024").unwrap_err(), "must not be made of a name of yours or ours");
    }

    #[test]
    fn both_spellings_of_one_password_are_the_same() {
        assert_eq!(Password::typed("caf\u{e9} long").expose(), Password::typed("cafe\u{301} long").expose());
        assert_ne!(Password::typed(&"a".repeat(72)).expose(), Password::typed(&"a".repeat(73)).expose());
    }

    #[test]
    fn a_password_does_not_show_in_debug() {
        assert!(!format!("{:?}", Password::typed("hunter2 hunter2")).contains("hunter2"));
    }
}
