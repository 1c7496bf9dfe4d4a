//! Makes one connection: TCP, TLS with our identity and their exact name, HTTP/2. A connection is kept
//! until it closes, its peer's certificate ends, or our identity is reloaded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use proto::ServiceError;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::TlsConnector;
use tonic::body::Body;

use crate::identity::{ALPN_H2, unix_time};
use crate::{Identity, SpiffeId, Svid};

/// For TCP, TLS and HTTP/2 together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A silent server is pinged after the first and given up after the second of these, so that a channel
/// heals within seconds of a partition; both leave room for a machine that is merely busy.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// The faults of a refused message come in a head.
const HEADER_BYTES_MAX: u32 = 32 * 1024;

/// Who connects, and to whom.
pub(super) struct Connector {
    identity: Identity,
    expected: SpiffeId,
}

/// An open connection.
pub(super) struct Link {
    sender: SendRequest<Body>,
    chain: Arc<[CertificateDer<'static>]>,
    svid: Svid,
    /// Under which generation of our identity it is good.
    generation: u64,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Connector {
    pub(super) fn new(identity: Identity, expected: SpiffeId) -> Self {
        Self { identity, expected }
    }

    /// Connects with the identity in force.
    pub(super) async fn connect(&self, address: SocketAddr) -> Result<Link, ServiceError> {
        let connected = match time::timeout(CONNECT_TIMEOUT, self.try_connect(address)).await {
            Ok(connected) => connected,
            Err(_) => Err("connecting took too long".into()),
        };
        connected.map_err(ServiceError::unavailable)
    }

    /// Whether calls may go over this connection as it is.
    pub(super) fn is_current(&self, link: &Link) -> bool {
        link.is_open() && link.generation == self.identity.generation() && !self.has_ended(link)
    }

    /// The same connection under our present identity, if its server would be believed today. It serves
    /// where the server does not take the new identity yet.
    pub(super) fn renewed(&self, link: &Link) -> Option<Link> {
        let generation = self.identity.current();
        let (leaf, intermediates) = link.chain.split_first()?;
        let now = unix_time(self.identity.clock().now());
        let believed = link.is_open() && generation.trust.judge(leaf, intermediates, now).is_ok();
        believed.then(|| Link {
            sender: link.sender.clone(),
            chain: link.chain.clone(),
            svid: link.svid.clone(),
            generation: generation.number,
        })
    }

    fn has_ended(&self, link: &Link) -> bool {
        self.identity.clock().now() >= link.svid.not_after
    }

    async fn try_connect(&self, address: SocketAddr) -> Result<Link, Fault> {
        let generation = self.identity.current();
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let tls = TlsConnector::from(generation.client(&self.expected)?);
        // Never sent: the server is known by its certificate.
        let stream = tls.connect(ServerName::try_from("mesh.internal")?, stream).await?;
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(ALPN_H2) {
            return Err("the server does not speak h2".into());
        }
        let chain: Arc<[_]> = session.peer_certificates().unwrap_or_default().into();
        let svid = Svid::parse(chain.first().ok_or("the server has no certificate")?)?;
        let sender = open_http2(TokioIo::new(stream)).await?;
        Ok(Link { sender, chain, svid, generation: generation.number })
    }
}

async fn open_http2(
    stream: TokioIo<tokio_rustls::client::TlsStream<TcpStream>>,
) -> Result<SendRequest<Body>, hyper::Error> {
    let executor = TokioExecutor::new();
    let (sender, connection) = http2::Builder::new(executor.clone())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .max_header_list_size(HEADER_BYTES_MAX)
        .handshake(stream)
        .await?;
    // It ends by itself once the last sender and the last call on it are gone.
    executor.execute(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
    });
    Ok(sender)
}

impl Link {
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) fn sender(&self) -> SendRequest<Body> {
        self.sender.clone()
    }
}
