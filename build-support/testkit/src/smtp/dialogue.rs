//! The server's side of one SMTP connection (RFC 5321): commands in, answers out, messages to the desk.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Desk, Mode, Received};

/// How a connection goes on after a command.
enum Next {
    Answer(String),
    Encrypt,
    Message,
    Bye,
    Cut,
}

/// A connection's state: what has been said of the message to come.
struct Dialogue {
    desk: Arc<Desk>,
    encrypted: bool,
    sender: String,
    recipients: Vec<String>,
}

/// Serves one connection to its end; a broken one is its client's affair.
pub(super) async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let mut mode = desk.mode.subscribe();
    if *mode.borrow() == Mode::Hang {
        desk.count_attempt();
    }
    if mode.wait_for(|mode| *mode != Mode::Hang).await.is_err() {
        return;
    }
    let mut stream = BufReader::new(stream);
    if stream.write_all(b"220 sink ESMTP\r\n").await.is_err() {
        return;
    }
    let mut dialogue = Dialogue { desk, encrypted: false, sender: String::new(), recipients: Vec::new() };
    let tls = dialogue.desk.tls.clone();
    if let (Ok(Next::Encrypt), Some(tls)) = (dialogue.run(&mut stream).await, tls)
        && let Ok(stream) = tls.accept(stream.into_inner()).await
    {
        dialogue.encrypted = true;
        drop(dialogue.run(&mut BufReader::new(stream)).await);
    }
}

impl Dialogue {
    /// Answers commands until the connection ends or turns to TLS.
    async fn run<S>(&mut self, stream: &mut BufReader<S>) -> io::Result<Next>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(Next::Bye);
            }
            let mut next = self.command(line.trim_end());
            if matches!(next, Next::Message) {
                stream.write_all(b"354 go ahead\r\n").await?;
                let raw = message(stream).await?;
                next = self.keep(raw);
            }
            match next {
                Next::Answer(text) => stream.write_all(format!("{text}\r\n").as_bytes()).await?,
                Next::Encrypt => {
                    stream.write_all(b"220 go ahead\r\n").await?;
                    return Ok(Next::Encrypt);
                }
                Next::Bye => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(Next::Bye);
                }
                Next::Cut | Next::Message => return Ok(Next::Cut),
            }
            stream.flush().await?;
        }
    }

    fn command(&mut self, line: &str) -> Next {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let mode = *self.desk.mode.borrow();
        Next::Answer(match (verb.as_str(), mode) {
            ("EHLO", _) if self.desk.tls.is_some() && !self.encrypted => "250-sink\r\n250 STARTTLS".into(),
            ("EHLO", _) => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN".into(),
            ("STARTTLS", _) if self.desk.tls.is_some() && !self.encrypted => return Next::Encrypt,
            ("AUTH", _) => "235 accepted".into(),
            ("MAIL", _) => {
                self.desk.count_attempt();
                self.sender = address(line);
                self.recipients.clear();
                "250 ok".into()
            }
            ("RCPT", Mode::RefuseRecipient(code)) => format!("{code} refused"),
            ("RCPT", _) => {
                self.recipients.push(address(line));
                "250 ok".into()
            }
            ("DATA", _) if self.recipients.is_empty() => "503 nobody to send it to".into(),
            ("DATA", _) => return Next::Message,
            ("HELO" | "RSET" | "NOOP", _) => "250 ok".into(),
            ("QUIT", _) => return Next::Bye,
            _ => "502 not known here".into(),
        })
    }

    fn keep(&mut self, raw: String) -> Next {
        let mode = *self.desk.mode.borrow();
        if let Mode::RefuseMessage(code) = mode {
            return Next::Answer(format!("{code} refused"));
        }
        let received = Received {
            sender: std::mem::take(&mut self.sender),
            recipients: std::mem::take(&mut self.recipients),
            raw,
            encrypted: self.encrypted,
        };
        self.desk.kept.send_modify(|kept| kept.push(received));
        match mode {
            Mode::CutAfterData => Next::Cut,
            _ => Next::Answer("250 kept".into()),
        }
    }
}

/// A message up to its lone dot, dots unstuffed.
async fn message(stream: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end() == "." {
            return Ok(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// What stands between the brackets.
fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or("", |(address, _)| address).to_owned()
}
