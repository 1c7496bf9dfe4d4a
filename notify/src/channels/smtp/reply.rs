//! What a relay answers (RFC 5321, 4.2), with its enhanced status code (RFC 3463) where it gives one.

use std::fmt;
use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// The longest line; the standard's 512 are often passed.
const LINE_BYTES_MAX: u64 = 2048;
/// The most lines of one answer.
const LINES_MAX: usize = 64;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Its three digits.
    pub(super) code: u16,
    /// Its lines without codes.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Reads one, however many lines it has.
    pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Self> {
        let mut lines = Vec::new();
        while lines.len() < LINES_MAX {
            let mut line = Vec::new();
            reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
            let line = String::from_utf8_lossy(&line);
            let Some(text) = line.strip_suffix('\n') else {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
            };
            let (code, more, text) = split(text.trim_end()).ok_or_else(nonsense)?;
            lines.push(text.to_owned());
            if !more {
                return Ok(Self { code, lines });
            }
        }
        Err(nonsense())
    }

    /// Whether the answer is meant for good.
    pub(super) fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Whether it says that the recipient's address is bad: 5.1.x but for those about the sender's, and
    /// the codes that mean it where there is no finer one.
    pub(super) fn is_about_recipient(&self) -> bool {
        match self.enhanced() {
            Some((5, 1, detail)) => !matches!(detail, 7 | 8),
            Some(_) => false,
            None => matches!(self.code, 550 | 551 | 553),
        }
    }

    /// Class, subject, detail.
    fn enhanced(&self) -> Option<(u16, u16, u16)> {
        let mut numbers = self.lines.first()?.split(' ').next()?.split('.').map(|number| number.parse().ok());
        let code = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(code)
    }
}

fn split(line: &str) -> Option<(u16, bool, &str)> {
    let code = line.get(..3)?.parse().ok().filter(|code| (200..600).contains(code))?;
    match line.get(3..4) {
        None | Some(" ") => Some((code, false, line.get(4..).unwrap_or_default())),
        Some("-") => Some((code, true, &line[4..])),
        Some(_) => None,
    }
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is none of SMTP")
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> io::Result<Reply> {
        Reply::read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn an_answer_may_have_many_lines_and_ends_at_its_last() {
        let mut wire = "250-mail.example.org\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n354 go\r\n".as_bytes();
        let hello = Reply::read(&mut wire).await.unwrap();
        assert_eq!((hello.code, hello.lines.len()), (250, 3));
        assert_eq!(Reply::read(&mut wire).await.unwrap().code, 354);
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error() {
        for text in
            ["", "250 cut off", "hello\r\n", "2500\r\n", "999 no\r\n", "25\r\n", &"250-a\r\n".repeat(99)]
        {
            assert!(read(text).await.is_err(), "{text:?}");
        }
        assert!(read(&format!("250 {}\r\n", "x".repeat(3000))).await.is_err());
    }

    #[tokio::test]
    async fn only_answers_about_the_recipient_make_an_address_bad() {
        for (text, about) in [
            ("550 5.1.1 no such user", true),
            ("550 no such user", true),
            ("553 mailbox name not allowed", true),
            ("550 5.7.1 refused by policy", false),
            ("550 5.1.8 bad sender", false),
            ("552 5.2.2 mailbox full", false),
            ("554 transaction failed", false),
        ] {
            let reply = read(&format!("{text}\r\n")).await.unwrap();
            assert!(reply.is_permanent());
            assert_eq!(reply.is_about_recipient(), about, "{text}");
        }
    }
}
