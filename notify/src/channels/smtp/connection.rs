//! One connection to a relay and the words spoken on it, each within the deadline of its mail.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::reply::Reply;
use super::stop::{Reason, Step, Stop};
use crate::channels::email::Mail;
use crate::config::{Encryption, Login, RelayAddress};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that has been greeted, encrypted where it must be, and logged in.
pub(super) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    hello: String,
    /// What the relay offers, in upper case.
    extensions: Vec<String>,
    deadline: Instant,
    step: Step,
}

impl Connection {
    /// Connects. Where the address asks for encryption, nothing is said without it but the way to it.
    pub(super) async fn open(
        address: &RelayAddress,
        tls: &TlsConnector,
        deadline: Instant,
    ) -> Result<Self, Stop> {
        let stream = within(deadline, TcpStream::connect((address.host.as_str(), address.port))).await?;
        let prepared = stream.set_nodelay(true).and_then(|()| stream.local_addr());
        let local = prepared.map_err(|error| unopened(error.to_string()))?;
        let mut connection = Self {
            stream: BufReader::new(Box::new(stream)),
            hello: address_literal(local),
            extensions: Vec::new(),
            deadline,
            step: Step::Opening,
        };
        if address.encryption == Encryption::Implicit {
            connection = connection.encrypt(&address.host, tls).await?;
        }
        connection.expect_reply(220).await?;
        connection.say_hello().await?;
        if address.encryption == Encryption::StartTls {
            connection = connection.start_tls(&address.host, tls).await?;
        }
        if let Some(login) = &address.login {
            connection.log_in(login).await?;
        }
        Ok(connection)
    }

    /// Hands one mail over; the relay's words on taking it.
    pub(super) async fn deliver(&mut self, mail: &Mail, deadline: Instant) -> Result<Reply, Stop> {
        self.deadline = deadline;
        self.step = Step::Sender;
        let utf8 = !mail.to.is_ascii();
        if utf8 && !self.offers("SMTPUTF8") {
            let lines = vec!["5.6.7 the relay takes no address beyond ASCII".to_owned()];
            return Err(Stop { step: Step::Sender, reason: Reason::Reply(Reply { code: 553, lines }) });
        }
        let parameters = if utf8 { " SMTPUTF8" } else { "" };
        self.command(&format!("MAIL FROM:<{}>{parameters}", mail.from), 250).await?;
        self.step = Step::Recipient;
        self.command(&format!("RCPT TO:<{}>", mail.to), 250).await?;
        self.step = Step::Data;
        self.command("DATA", 354).await?;
        self.step = Step::Message;
        self.write(&stuffed(&mail.bytes)).await?;
        self.expect_reply(250).await
    }

    /// Makes the relay forget a mail that it refused.
    pub(super) async fn reset(&mut self) -> Result<(), Stop> {
        self.command("RSET", 250).await.map(drop)
    }

    async fn start_tls(mut self, host: &str, tls: &TlsConnector) -> Result<Self, Stop> {
        if !self.offers("STARTTLS") {
            return Err(unopened(
                "the relay does not offer STARTTLS, and nothing is sent without it".to_owned(),
            ));
        }
        self.command("STARTTLS", 220).await?;
        let mut encrypted = self.encrypt(host, tls).await?;
        encrypted.say_hello().await?;
        Ok(encrypted)
    }

    async fn encrypt(self, host: &str, tls: &TlsConnector) -> Result<Self, Stop> {
        // What was read ahead in plain text would pass for something said under encryption.
        if !self.stream.buffer().is_empty() {
            return Err(unopened("the relay, or somebody between, spoke out of turn before TLS".to_owned()));
        }
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| unopened("the host is no name".to_owned()))?;
        let stream = within(self.deadline, tls.connect(name, self.stream.into_inner())).await?;
        Ok(Self { stream: BufReader::new(Box::new(stream)), ..self })
    }

    async fn say_hello(&mut self) -> Result<(), Stop> {
        let answer = self.command(&format!("EHLO {}", self.hello), 250).await?;
        self.extensions = answer.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    async fn log_in(&mut self, login: &Login) -> Result<(), Stop> {
        let (user, password) = (&login.user, login.password.expose_secret());
        if self.offers_login("PLAIN") {
            let word = STANDARD.encode(format!("\0{user}\0{password}"));
            self.command(&format!("AUTH PLAIN {word}"), 235).await?;
        } else if self.offers_login("LOGIN") {
            self.command("AUTH LOGIN", 334).await?;
            self.command(&STANDARD.encode(user), 334).await?;
            self.command(&STANDARD.encode(password), 235).await?;
        } else {
            return Err(unopened("the relay offers no way to log in that we know".to_owned()));
        }
        Ok(())
    }

    fn offers(&self, extension: &str) -> bool {
        self.extensions.iter().any(|line| line.split(' ').next() == Some(extension))
    }

    fn offers_login(&self, mechanism: &str) -> bool {
        let mut logins = self.extensions.iter().filter_map(|line| line.strip_prefix("AUTH "));
        logins.any(|mechanisms| mechanisms.split(' ').any(|offered| offered == mechanism))
    }

    async fn command(&mut self, line: &str, expected: u16) -> Result<Reply, Stop> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.expect_reply(expected).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let step = self.step;
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        within(self.deadline, write).await.map_err(|stop| Stop { step, ..stop })
    }

    /// Reads an answer; one of another kind than expected is a no.
    async fn expect_reply(&mut self, expected: u16) -> Result<Reply, Stop> {
        let step = self.step;
        let reply = within(self.deadline, Reply::read(&mut self.stream))
            .await
            .map_err(|stop| Stop { step, ..stop })?;
        // 251 also is a yes to a recipient: the relay passes the mail on.
        if reply.code / 100 == expected / 100 {
            Ok(reply)
        } else {
            Err(Stop { step, reason: Reason::Reply(reply) })
        }
    }
}

/// Ends a wait at the deadline.
async fn within<T>(deadline: Instant, work: impl Future<Output = std::io::Result<T>>) -> Result<T, Stop> {
    match timeout_at(deadline, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(unopened(error.to_string())),
        Err(_) => Err(unopened("no answer in time".to_owned())),
    }
}

fn unopened(why: String) -> Stop {
    Stop { step: Step::Opening, reason: Reason::Broken(why) }
}

/// How we introduce ourselves: by the address the relay sees (RFC 5321, 4.1.3).
fn address_literal(local: SocketAddr) -> String {
    match local {
        SocketAddr::V4(local) => format!("[{}]", local.ip()),
        SocketAddr::V6(local) => format!("[IPv6:{}]", local.ip()),
    }
}

/// A message as it goes over the wire: a dot before every line that begins with one, and the one that
/// ends it (RFC 5321, 4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_a_dot_does_not_end_the_message() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b"), b"a\r\n..\r\n...b\r\n.\r\n");
    }
}
