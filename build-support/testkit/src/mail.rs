//! Mails as their reader sees them: decoded, with the code and the links a person would use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mail_parser::{Address, Message, MessageParser};

/// A decoded mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The address in `From`.
    pub from: String,
    /// The first address in `To`.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain part; empty where there is none.
    pub text: String,
    /// The HTML part; empty where there is none.
    pub html: String,
    /// `Message-ID` without its brackets.
    pub message_id: String,
    /// Every header, as it stands in the mail.
    pub headers: Vec<(String, String)>,
}

impl Mail {
    /// Reads a mail in the form of RFC 5322.
    pub fn parse(raw: &[u8]) -> Mail {
        let message = MessageParser::default().parse(raw).expect("a mail has headers");
        Mail {
            from: address(message.from()),
            to: address(message.to()),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: part(&message, message.text_body.first()),
            html: part(&message, message.html_body.first()),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            headers: message
                .headers_raw()
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        }
    }

    /// A header as it stands in the mail; its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The six digits alone on their line.
    pub fn code(&self) -> Option<&str> {
        self.text
            .lines()
            .map(str::trim)
            .find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The first link of the plain part whose address holds `path`.
    pub fn link(&self, path: &str) -> Option<&str> {
        self.text
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"'))
            .find(|word| word.starts_with("http") && word.contains(path))
    }

    /// What the link with `path` carries as its parameter `token`.
    pub fn token(&self, path: &str) -> Option<&str> {
        let (_, query) = self.link(path)?.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("token="))
    }
}

/// A folder that mails are written to as `.eml` files.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// The mails to `address`, in the order of their file names.
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| is_mail(path)).collect();
        files.sort();
        let raw = files.iter().filter_map(|file| fs::read(file).ok());
        raw.map(|raw| Mail::parse(&raw)).filter(|mail| mail.to == address).collect()
    }

    /// Waits until there are `count` mails to `address` and gives them all.
    pub async fn wait_for(&self, address: &str, count: usize, within: Duration) -> Vec<Mail> {
        let mut glance = tokio::time::interval(Duration::from_millis(20));
        let arrived = async {
            loop {
                glance.tick().await;
                let mails = self.mails_to(address);
                if mails.len() >= count {
                    return mails;
                }
            }
        };
        tokio::time::timeout(within, arrived).await.unwrap_or_else(|_| {
            let there = self.mails_to(address).into_iter().map(|mail| mail.subject).collect::<Vec<_>>();
            panic!("no {count} mails to {address} within {within:?}; there are {there:?}")
        })
    }
}

fn is_mail(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
}

fn address(header: Option<&Address>) -> String {
    header.and_then(Address::first).and_then(|first| first.address()).unwrap_or_default().to_owned()
}

/// The text of a part; the parser offers one kind of body for the other where that is missing, which is no part.
fn part(message: &Message, index: Option<&u32>) -> String {
    let part = index.and_then(|&index| message.part(index));
    part.and_then(|part| part.text_contents()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "From: Platform <no-reply@localhost>\r\n\
        To: Ann <ann@example.com>\r\n\
        Subject: =?utf-8?Q?X=C3=A1c_nh=E1=BA=ADn?=\r\n\
        Message-ID: <1@localhost>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Your code:\r\n\r\n  123456\r\n\r\nor http://127.0.0.1:8080/auth/verify-email?token=3Dabc=\r\ndef .\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        PGI+MTIzNDU2PC9iPg==\r\n--b--\r\n";

    #[test]
    fn a_mail_reads_as_its_reader_sees_it() {
        let mail = Mail::parse(RAW.as_bytes());
        assert_eq!((mail.to.as_str(), mail.from.as_str()), ("ann@example.com", "no-reply@localhost"));
        assert_eq!((mail.subject.as_str(), mail.html.as_str()), ("Xác nhận", "<b>123456</b>"));
        assert_eq!(mail.code(), Some("123456"));
        assert_eq!(mail.token("/auth/verify-email"), Some("abcdef"));
        assert_eq!(mail.link("/auth/reset-password"), None);
        assert_eq!(mail.header("message-id"), Some("<1@localhost>"));
        assert_eq!(mail.message_id, "1@localhost");
    }

    #[tokio::test]
    async fn a_folder_gives_the_mails_of_one_reader() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(home.path().join("mail"));
        assert!(folder.mails_to("ann@example.com").is_empty());

        fs::create_dir(home.path().join("mail")).unwrap();
        fs::write(home.path().join("mail/1.eml"), RAW).unwrap();
        let mails = folder.wait_for("ann@example.com", 1, Duration::from_secs(5)).await;
        assert_eq!(mails.len(), 1);
        assert!(folder.mails_to("bob@example.com").is_empty());
    }
}
