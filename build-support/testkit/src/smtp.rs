//! An SMTP server in the test's own process: keeps what it is sent, or refuses, hangs and breaks off as told.

mod dialogue;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::mail::Mail;
use crate::task::Task;

/// What the sink does with the mails that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes every mail.
    Accept,
    /// Answers every recipient with this code.
    RefuseRecipient(u16),
    /// Answers every message with this code after its last byte.
    RefuseMessage(u16),
    /// Takes connections and never says a word.
    Hang,
    /// Keeps the message and breaks the connection off before it says so: to the client, the outcome is unknown.
    CutAfterData,
}

/// A message the sink has kept.
#[derive(Clone, Debug)]
pub struct Received {
    /// The address of `MAIL FROM`.
    pub sender: String,
    /// The addresses of `RCPT TO`.
    pub recipients: Vec<String>,
    /// The message as it came, dots unstuffed.
    pub raw: String,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

impl Received {
    /// The message decoded.
    pub fn mail(&self) -> Mail {
        Mail::parse(self.raw.as_bytes())
    }
}

/// A running sink on a loopback port; it ends with the value.
pub struct Sink {
    address: SocketAddr,
    root: Option<String>,
    desk: Arc<Desk>,
    _accepting: Task,
}

/// What the sink's connections share.
struct Desk {
    mode: watch::Sender<Mode>,
    kept: watch::Sender<Vec<Received>>,
    attempts: watch::Sender<usize>,
    tls: Option<TlsAcceptor>,
}

impl Desk {
    fn count_attempt(&self) {
        self.attempts.send_modify(|made| *made += 1);
    }
}

impl Sink {
    /// A sink that does not offer STARTTLS, as if something on the way had stripped it.
    pub async fn start() -> Sink {
        Sink::open(None).await
    }

    /// A sink that offers STARTTLS with a certificate for `localhost` and 127.0.0.1 under [`root`](Sink::root).
    pub async fn start_tls() -> Sink {
        Sink::open(Some(certificate())).await
    }

    async fn open(tls: Option<(TlsAcceptor, String)>) -> Sink {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (tls, root) = tls.unzip();
        let desk = Arc::new(Desk {
            mode: watch::Sender::new(Mode::Accept),
            kept: watch::Sender::default(),
            attempts: watch::Sender::default(),
            tls,
        });
        Sink { address, root, _accepting: Task::start(accept(listener, desk.clone())), desk }
    }

    /// Where the sink listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `SMTP_URL` for a client that may speak plainly.
    pub fn plain_url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// The `SMTP_URL` for a client that insists on STARTTLS.
    pub fn tls_url(&self) -> String {
        format!("smtp://localhost:{}", self.address.port())
    }

    /// The PEM of the certificate that vouches for the sink, for `SSL_CERT_FILE`.
    pub fn root(&self) -> &str {
        self.root.as_deref().expect("a sink with a certificate is started with `start_tls`")
    }

    /// Changes what is done from the next command on.
    pub fn set_mode(&self, mode: Mode) {
        self.desk.mode.send_replace(mode);
    }

    /// What has been kept, in order of arrival.
    pub fn messages(&self) -> Vec<Received> {
        self.desk.kept.borrow().clone()
    }

    /// Waits until `count` messages have been kept and gives them all.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Vec<Received> {
        let mut kept = self.desk.kept.subscribe();
        let arrived = tokio::time::timeout(within, kept.wait_for(|kept| kept.len() >= count)).await;
        let Ok(arrived) = arrived else {
            panic!("no {count} messages within {within:?}; there are {}", self.messages().len())
        };
        arrived.expect("the sink outlives its waiters").clone()
    }

    /// Waits until `count` messages have been begun in all, whatever came of them; a client left hanging counts.
    pub async fn wait_for_attempts(&self, count: usize, within: Duration) {
        let mut attempts = self.desk.attempts.subscribe();
        let made = tokio::time::timeout(within, attempts.wait_for(|made| *made >= count)).await;
        assert!(made.is_ok(), "no {count} attempts within {within:?}");
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        connections.spawn(dialogue::serve(stream, desk.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// A self-signed certificate: its own root.
fn certificate() -> (TlsAcceptor, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("these names are valid");
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("the key is the certificate's");
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

#[cfg(test)]
mod tests;
