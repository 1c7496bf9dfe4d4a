//! The edge's own accept loop: every wait has a timer, every number a cap. It ends where a request's
//! head is read.

pub(crate) mod addresses;
mod socket;
mod watch;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chassis::Lifecycle;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::answer::Response;
use crate::config::{Bounds, HEAD_BYTES_CEILING, Times};
use crate::guard::client_ip::Proxies;
use addresses::Addresses;
use socket::Socket;
use watch::Watch;

/// How many streams one HTTP/2 connection may have under way.
const STREAMS_MAX: u32 = 128;
/// How often a silent HTTP/2 peer is asked whether it lives, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the loop rests where the system refuses connections.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// What answers requests.
pub trait Serve: Send + Sync + 'static {
    /// Answers one request from `peer`; `smuggled` where its head had both a length and chunks.
    fn serve(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        peer: IpAddr,
        head: Head,
    ) -> impl Future<Output = Response> + Send;
}

/// What hyper does not tell of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It can be read in one way only.
    Plain,
    /// It has a `Content-Length` beside a `Transfer-Encoding`.
    TwoLengths,
}

/// The accept loop.
pub struct Acceptor {
    /// How long things may take.
    pub times: Times,
    /// How much there may be of things.
    pub bounds: Bounds,
    /// Who may have any number of connections.
    pub proxies: Proxies,
}

impl Acceptor {
    /// Accepts connections until the lifecycle asks to end. What is open then finishes by itself.
    pub async fn run(self, listener: TcpListener, edge: Arc<impl Serve>, lifecycle: &Lifecycle) {
        let room = Arc::new(Semaphore::new(self.bounds.connections));
        let addresses = Addresses::new(self.bounds.connections_per_ip);
        let shared = Arc::new(self);
        loop {
            let accepted = async {
                let room = room.clone().acquire_owned().await;
                (listener.accept().await, room)
            };
            let (accepted, room) = tokio::select! {
                accepted = accepted => accepted,
                () = lifecycle.requested() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                    continue;
                }
            };
            let peer = SocketAddr::ip(&peer).to_canonical();
            let seat = if shared.proxies.trusts(peer) { None } else { Some(addresses.enter(peer)) };
            if matches!(seat, Some(None)) {
                metrics::counter!("platform_edge_connections_refused_total").increment(1);
                continue;
            }
            let (acceptor, edge, life) = (shared.clone(), edge.clone(), lifecycle.clone());
            lifecycle.spawn_isolated("connection", async move {
                acceptor.converse(stream, peer, edge, &life).await;
                drop((room, seat));
            });
        }
    }

    async fn converse(&self, stream: TcpStream, peer: IpAddr, edge: Arc<impl Serve>, life: &Lifecycle) {
        // Small answers must not wait for more; where the option cannot be set they are only slower.
        let _ = stream.set_nodelay(true);
        let watch = Arc::new(Watch::default());
        let opened =
            tokio::time::timeout(self.times.head, Socket::open(stream, watch.clone(), self.times.head));
        let opened = tokio::select! {
            opened = opened => opened,
            () = life.requested() => return,
        };
        // Whoever says nothing, or leaves at once, is left alone.
        let Ok(Ok(socket)) = opened else { return };
        let is_h2 = socket.speaks_h2();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (edge, watch) = (edge.clone(), watch.clone());
            let head = watch.begin_request();
            async move {
                let response = edge.serve(request, peer, head).await;
                watch.end_request();
                Ok::<_, Infallible>(response)
            }
        });
        let io = TokioIo::new(socket);
        if is_h2 {
            let connection = h2().serve_connection(io, service);
            drive(connection, life, http2::Connection::graceful_shutdown).await;
        } else {
            let connection = self.h1().serve_connection(io, service).with_upgrades();
            drive(connection, life, http1::UpgradeableConnection::graceful_shutdown).await;
        }
    }

    fn h1(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new());
        // From the end of one request to the end of the next one's head; the socket bounds the head itself.
        builder.header_read_timeout(self.times.idle + self.times.head);
        // Above our own bound, so that what lies between gets a proper answer.
        builder.max_buf_size(HEAD_BYTES_CEILING * 2);
        builder
    }
}

fn h2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder.max_concurrent_streams(STREAMS_MAX);
    builder.max_header_list_size(u32::try_from(HEAD_BYTES_CEILING).unwrap_or(u32::MAX));
    builder.keep_alive_interval(PING_EVERY);
    builder.keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// The connection behind one that was upgraded, and what was read of it ahead. From here on nothing here
/// watches it.
pub(crate) fn bare(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Socket<TcpStream>>>().ok()?;
    Some((parts.io.into_inner().into_stream(), parts.read_buf.into()))
}

/// Drives a connection to its end; once the process ends, to the end of what is under way.
async fn drive<C, E>(connection: C, life: &Lifecycle, shut_down: impl FnOnce(std::pin::Pin<&mut C>))
where
    C: Future<Output = Result<(), E>>,
{
    let mut connection = std::pin::pin!(connection);
    // How a connection broke off is its client's affair: every request was answered or cancelled.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = life.requested() => {}
    }
    shut_down(connection.as_mut());
    let _ = connection.await;
}
