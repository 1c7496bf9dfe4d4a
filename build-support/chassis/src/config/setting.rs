//! Texts into values: what a setting of each type accepts, and how a wrong one is explained.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// A type that settings may have.
pub trait Setting: Sized {
    /// Whether the value may be read from the file `NAME_FILE`. Faults of a secret never quote it.
    const SECRET: bool = false;

    /// Reads the text, trimmed unless it is a secret; empty means "not given". The error says what is wrong and what is expected.
    fn parse(text: &str) -> Result<Self, String>;

    /// Stands in for a value whose fault was recorded; never used by a program that checks its faults.
    fn placeholder() -> Self;
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        required(text).map(str::to_owned)
    }

    fn placeholder() -> Self {
        String::new()
    }
}

impl Setting for SecretString {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        required(text).map(SecretString::from)
    }

    fn placeholder() -> Self {
        SecretString::default()
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        required(text).map(PathBuf::from)
    }

    fn placeholder() -> Self {
        PathBuf::new()
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match required(text)? {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            other => Err(format!("`{other}` is no truth value, expected true or false")),
        }
    }

    fn placeholder() -> Self {
        false
    }
}

/// Whole numbers: the type's own bounds are the expectation.
macro_rules! whole_number {
    ($($number:ty),+) => {$(
        impl Setting for $number {
            fn parse(text: &str) -> Result<Self, String> {
                let text = required(text)?;
                text.parse().map_err(|_| format!("`{text}` is not expected, a whole number from 0 to {} is", <$number>::MAX))
            }

            fn placeholder() -> Self {
                0
            }
        }
    )+};
}

whole_number!(u16, u32, u64, usize);

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let text = required(text)?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let milliseconds = match &text[digits.len()..] {
            "ms" => Some(1),
            "" | "s" => Some(1000),
            "m" => Some(60 * 1000),
            "h" => Some(60 * 60 * 1000),
            "d" => Some(24 * 60 * 60 * 1000),
            _ => None,
        };
        let number = digits.trim_end().parse::<u64>().ok();
        number
            .zip(milliseconds)
            .and_then(|(number, unit)| number.checked_mul(unit))
            .map(Duration::from_millis)
            .ok_or_else(|| {
                format!("`{text}` is no duration, expected such as 250ms, 5s, 15m, 2h, 14d or plain seconds")
            })
    }

    fn placeholder() -> Self {
        Duration::ZERO
    }
}

impl Setting for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        let text = required(text)?;
        text.parse()
            .map_err(|_| format!("`{text}` is no address, expected such as 127.0.0.1:8080 or [::1]:8080"))
    }

    fn placeholder() -> Self {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }
}

impl Setting for Url {
    fn parse(text: &str) -> Result<Self, String> {
        // The text is not quoted: an address may carry a password.
        Url::parse(required(text)?)
            .map_err(|error| format!("is no URL ({error}), expected such as https://example.org"))
    }

    #[expect(clippy::expect_used, reason = "the literal is a URL")]
    fn placeholder() -> Self {
        Url::parse("http://placeholder.invalid").expect("a literal URL parses")
    }
}

impl Setting for IpNet {
    fn parse(text: &str) -> Result<Self, String> {
        let text = required(text)?;
        let alone = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        text.parse()
            .ok()
            .or_else(alone)
            .ok_or_else(|| format!("`{text}` is no network, expected such as 10.0.0.0/8"))
    }

    fn placeholder() -> Self {
        IpNet::from(std::net::IpAddr::from([0, 0, 0, 0]))
    }
}

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }

    fn placeholder() -> Self {
        None
    }
}

/// Comma-separated; an empty text is an empty list.
impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::parse).collect()
    }

    fn placeholder() -> Self {
        Vec::new()
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Setting for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" | "auto" => Ok(LogFormat::Auto),
            "json" => Ok(LogFormat::Json),
            "text" => Ok(LogFormat::Text),
            other => Err(format!("`{other}` is no log format, expected json, text or auto")),
        }
    }

    fn placeholder() -> Self {
        LogFormat::Auto
    }
}

fn required(text: &str) -> Result<&str, String> {
    if text.is_empty() { Err("is missing, expected a value".to_owned()) } else { Ok(text) }
}
