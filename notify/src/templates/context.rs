//! What a template may speak of: facts in forms that carry no markup, no links and no line breaks of
//! anybody's choosing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use minijinja::Value;
use minijinja::value::Serde;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;

use crate::domain::device::device;

/// What a link or a code in a message needs; known only while the message is made.
pub(crate) struct Secrets {
    /// The token of the link.
    pub(crate) token: SecretString,
    /// The six digits, where they still work.
    pub(crate) code: Option<SecretString>,
    /// For how many more seconds the token works.
    pub(crate) expires_in: u32,
}

/// Everything a mail is about. Lacks a fact, and a template that speaks of it cannot be rendered.
pub(crate) struct Speech<'a> {
    /// The reader's language.
    pub(crate) locale: &'a str,
    /// The reader's name, where it may be spoken.
    pub(crate) name: Option<&'a str>,
    /// Who writes.
    pub(crate) brand: &'a str,
    /// Where links lead, without a slash at its end.
    pub(crate) public_url: &'a str,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
    /// What the event says about itself.
    pub(crate) data: &'a Map<String, serde_json::Value>,
    /// The message's secrets, where it has some.
    pub(crate) secrets: Option<&'a Secrets>,
}

impl Speech<'_> {
    /// The names that templates use.
    pub(super) fn context(&self) -> Value {
        let mut words: BTreeMap<&'static str, Value> = BTreeMap::from([
            ("name", self.name.into()),
            ("brand", self.brand.into()),
            ("public_url", self.public_url.into()),
            ("circumstances", self.circumstances().into()),
            ("data", Value::from(Serde(self.data))),
        ]);
        if let Some(secrets) = self.secrets {
            let token = utf8_percent_encode(secrets.token.expose_secret(), TOKEN_ESCAPED);
            words.insert("token", token.to_string().into());
            words.insert("expires_in", secrets.expires_in.into());
            if let Some(code) = &secrets.code {
                words.insert("code", code.expose_secret().into());
            }
        }
        Value::from(words)
    }

    /// `2026-11-20 15:42 UTC · Firefox, Linux · 203.0.113.7`, as far as it is known: the same in every
    /// language, and only in words of our own.
    fn circumstances(&self) -> String {
        let said = |key: &str| self.data.get(key).and_then(serde_json::Value::as_str);
        let at = said("at").and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        let at = at.map_or(self.occurred_at, |at| at.to_utc());
        let device = said("userAgent").and_then(device);
        let address = said("ip").and_then(|ip| ip.parse::<IpAddr>().ok());
        let known =
            [Some(at.format("%Y-%m-%d %H:%M UTC").to_string()), device, address.map(|ip| ip.to_string())];
        known.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// What a URL's query does not carry as it is (RFC 3986, 2.3 names what it does).
const TOKEN_ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
