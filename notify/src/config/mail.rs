//! How mails leave and who they are from, as the settings say it.

use chassis::config::Setting;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// Where mails leave.
#[derive(Clone, Debug)]
pub enum MailRoute {
    /// Into a folder.
    Folder,
    /// To a relay.
    Relay(RelayAddress),
}

impl Setting for MailRoute {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "file:" => Ok(Self::Folder),
            url => RelayAddress::parse(url).map(Self::Relay),
        }
    }

    fn placeholder() -> Self {
        Self::Folder
    }
}

/// Where a relay is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct RelayAddress {
    /// The host; over TLS the name its certificate must have.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether and when the dialogue is encrypted.
    pub encryption: Encryption,
    /// Who we are to it, where it asks.
    pub login: Option<Login>,
}

/// Whether and when the dialogue with a relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Implicit,
    /// By STARTTLS; where the relay does not offer it nothing is sent.
    StartTls,
    /// Never: for a relay on the same machine.
    None,
}

/// A user and a password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl RelayAddress {
    /// Reads `smtp://user:password@host:port` (STARTTLS, port 587), `smtps://…` (port 465), or
    /// `smtp://…?tls=none` (port 25). The error says what is wrong and quotes nothing.
    pub fn parse(url: &str) -> Result<Self, String> {
        let url =
            Url::parse(url).map_err(|error| format!("is no URL ({error}), expected such as smtp://host"))?;
        let plain = match url.query() {
            None => false,
            Some("tls=none") => true,
            Some(_) => return Err("has an unknown query, expected tls=none or nothing".to_owned()),
        };
        let (encryption, port) = match (url.scheme(), plain) {
            ("smtp", true) => (Encryption::None, 25),
            ("smtp", false) => (Encryption::StartTls, 587),
            ("smtps", false) => (Encryption::Implicit, 465),
            ("smtps", true) => return Err("asks for TLS and for none, expected one of them".to_owned()),
            _ => return Err("has an unknown scheme, expected file:, smtp:// or smtps://".to_owned()),
        };
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or("names no host, expected smtp://host")?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            encryption,
            login: login(&url)?,
        })
    }
}

fn login(url: &Url) -> Result<Option<Login>, String> {
    let decoded = |text: &str| {
        let text =
            percent_decode_str(text).decode_utf8().map_err(|_| "has a login that is no UTF-8".to_owned())?;
        // A NUL ends a field of AUTH PLAIN (RFC 4616).
        if text.contains('\0') { Err("has a login with a NUL".to_owned()) } else { Ok(text.into_owned()) }
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) => {
            Ok(Some(Login { user: decoded(user)?, password: decoded(password)?.into() }))
        }
        (_, None) => Err("has a user without a password, expected user:password".to_owned()),
    }
}

/// Who mails are from.
#[derive(Clone, Debug)]
pub struct MailFrom(pub(crate) Mailbox);

impl Setting for MailFrom {
    fn parse(text: &str) -> Result<Self, String> {
        let mailbox: Result<Mailbox, _> = text.parse();
        mailbox
            .map(Self)
            .map_err(|_| format!("`{text}` is no sender, expected such as Platform <no-reply@example.org>"))
    }

    #[expect(clippy::expect_used, reason = "the literal is an address")]
    fn placeholder() -> Self {
        Self("placeholder@localhost".parse().expect("a literal address parses"))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn an_address_says_where_how_and_who() {
        let relay = RelayAddress::parse("smtp://ana%40example.org:p%3Ass@mail.example.org").unwrap();
        assert_eq!((relay.host.as_str(), relay.port), ("mail.example.org", 587));
        assert_eq!(relay.encryption, Encryption::StartTls);
        let login = relay.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose_secret()), ("ana@example.org", "p:ss"));

        assert_eq!(RelayAddress::parse("smtps://mail.example.org").unwrap().port, 465);
        let local = RelayAddress::parse("smtp://[::1]:2525?tls=none").unwrap();
        assert_eq!((local.host.as_str(), local.port, local.encryption), ("::1", 2525, Encryption::None));
    }

    #[test]
    fn plain_text_is_never_a_misunderstanding() {
        for url in [
            "smtp://mail.example.org?tls=off",
            "smtp://mail.example.org?tls=none&x=1",
            "smtps://mail.example.org?tls=none",
            "http://mail.example.org",
            "smtp://",
            "smtp://ana@mail.example.org",
        ] {
            assert!(RelayAddress::parse(url).is_err(), "{url}");
        }
    }
}
