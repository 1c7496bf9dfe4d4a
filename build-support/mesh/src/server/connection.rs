//! One connection: hand-shake, HTTP/2, and its graceful end by age, by drain or because its peer is no
//! longer trusted.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::guard::Guard;
use super::peer::Peer;
use crate::Identity;
use crate::identity::ALPN_H2;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// A silent peer is pinged after the first and given up after the second of these.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long running calls may take after the connection was told to end.
const GRACE: Duration = Duration::from_secs(31);
const STREAMS_MAX: u32 = 1024;
const FRAME_BYTES_MAX: u32 = 64 * 1024;
/// A passport of 4 KiB and the client's facts fit well.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) identity: Identity,
    pub(super) guard: Arc<Guard>,
    pub(super) age: Duration,
    pub(super) draining: CancellationToken,
}

impl Connection {
    pub(super) async fn run(self) {
        let from = self.stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
        match handshake(self.stream, &self.identity).await {
            Ok((stream, peer)) => {
                metrics::counter!("platform_mesh_handshakes_total", "outcome" => "accepted").increment(1);
                serve(stream, Arc::new(peer), self.guard, self.age, self.draining).await;
            }
            Err(reason) => {
                metrics::counter!("platform_mesh_handshakes_total", "outcome" => "refused").increment(1);
                tracing::warn!(from, reason, "a connection was refused at the hand-shake");
            }
        }
    }
}

async fn handshake(stream: TcpStream, identity: &Identity) -> Result<(TlsStream<TcpStream>, Peer), String> {
    // A small answer must not wait for a larger packet; where the option fails it merely does.
    let _ = stream.set_nodelay(true);
    let generation = identity.current();
    let stream =
        time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(generation.server.clone()).accept(stream))
            .await
            .map_err(|_| "it took too long".to_owned())?
            .map_err(|error| error.to_string())?;
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(ALPN_H2) {
        return Err("the peer does not speak h2".to_owned());
    }
    let chain = session.peer_certificates().unwrap_or_default();
    let peer = Peer::new(chain, generation.number).map_err(|error| error.to_string())?;
    Ok((stream, peer))
}

async fn serve(
    stream: TlsStream<TcpStream>,
    peer: Arc<Peer>,
    guard: Arc<Guard>,
    age: Duration,
    draining: CancellationToken,
) {
    let distrusted = peer.distrusted();
    let answer = service_fn(move |request| {
        let (guard, peer) = (guard.clone(), peer.clone());
        async move { Ok::<_, std::convert::Infallible>(guard.answer(request, &peer).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(STREAMS_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    tokio::select! {
        // How a peer goes away is of no interest: its calls have their own answers.
        _ = connection.as_mut() => return,
        () = time::sleep(age) => {}
        () = draining.cancelled() => {}
        () = distrusted.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = time::timeout(GRACE, connection).await;
}
