//! The settings of notify. Each is documented in `default.toml`, which is the manual.

mod mail;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chassis::Source;
use secrecy::{ExposeSecret, SecretString};

pub use mail::{Encryption, Login, MailFrom, MailRoute, RelayAddress};

/// The commented defaults.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The settings of notify.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where notify listens for the mesh.
    pub listen: SocketAddr,
    /// Where notify answers its operators.
    pub ops_listen: SocketAddr,
    /// The database.
    pub database_url: SecretString,
    /// How many connections to it.
    pub database_connections: u32,
    /// Where mails leave.
    pub mail_route: MailRoute,
    /// The folder for mails where they leave as files.
    pub mail_folder: PathBuf,
    /// Who mails are from.
    pub mail_from: MailFrom,
    /// The base of links in mails, without a slash at its end.
    pub public_url: String,
    /// Where auth listens, `host:port` each.
    pub auth_upstream: Vec<String>,
    /// A PEM file of authorities to trust beside the machine's own.
    pub root_certificates: Option<PathBuf>,
}

impl Config {
    /// Reads the settings; faults are kept in the source.
    pub fn read(source: &mut Source) -> Self {
        let data_dir: PathBuf = source.value("PLATFORM_DATA_DIR");
        let public_url: url::Url = source.value("PUBLIC_URL");
        let config = Self {
            listen: source.value("NOTIFY_LISTEN"),
            ops_listen: source.value("NOTIFY_OPS_LISTEN"),
            database_url: database_url(source, &data_dir),
            database_connections: source.value("NOTIFY_DATABASE_CONNECTIONS"),
            mail_route: source.value("SMTP_URL"),
            mail_folder: data_dir.join("mail"),
            mail_from: source.value("MAIL_FROM"),
            public_url: public_url.as_str().trim_end_matches('/').to_owned(),
            auth_upstream: source.value("AUTH_UPSTREAM"),
            root_certificates: source.value("SSL_CERT_FILE"),
        };
        config.judge(source);
        config
    }

    fn judge(&self, source: &mut Source) {
        if !(self.public_url.starts_with("http://") || self.public_url.starts_with("https://")) {
            source.fault("PUBLIC_URL", "has an unknown scheme, expected https:// or http://");
        }
        if self.database_connections == 0 {
            source.fault("NOTIFY_DATABASE_CONNECTIONS", "is 0, expected at least 1");
        }
        if self.auth_upstream.is_empty() {
            source.fault("AUTH_UPSTREAM", "is missing, expected host:port");
        }
    }
}

fn database_url(source: &mut Source, data_dir: &Path) -> SecretString {
    let given: Option<SecretString> = source.value("NOTIFY_DATABASE_URL");
    let url =
        given.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("notify.sqlite").display()).into());
    let known = ["postgres://", "postgresql://", "sqlite:"];
    if !known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
        source.fault("NOTIFY_DATABASE_URL", "has an unknown scheme, expected postgres:// or sqlite://");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, chassis::Faults> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut source = Source::from_pairs(&[chassis::DEFAULTS, DEFAULTS], pairs)?;
        let config = Config::read(&mut source);
        source.finish().map(|()| config)
    }

    #[test]
    fn without_a_word_mails_are_files_and_the_database_is_one() {
        let config = read(&[("PLATFORM_DATA_DIR", "/data")]).unwrap();
        assert_eq!(config.database_url.expose_secret(), "sqlite:///data/notify.sqlite");
        assert_eq!(config.mail_folder, Path::new("/data/mail"));
        assert!(matches!(config.mail_route, MailRoute::Folder));
        assert_eq!(config.public_url, "http://127.0.0.1:8080");
    }

    #[test]
    fn every_fault_is_told_at_once_and_none_quotes_a_password() {
        let faults = read(&[
            ("SMTP_URL", "http://ana:hunter2@mail.example.org"),
            ("MAIL_FROM", "nobody"),
            ("PUBLIC_URL", "ftp://example.org"),
            ("NOTIFY_DATABASE_URL", "mysql://ana:hunter2@db"),
        ])
        .unwrap_err()
        .to_string();
        for name in ["SMTP_URL", "MAIL_FROM", "PUBLIC_URL", "NOTIFY_DATABASE_URL"] {
            assert!(faults.contains(name), "{faults}");
        }
        assert!(!faults.contains("hunter2"), "{faults}");
    }
}
