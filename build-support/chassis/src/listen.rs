//! The two ports of a service, bound before anything else: whoever starts several services knows where
//! each listens before it starts the next, also where a free port was asked for.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// The bound ports of a service.
#[derive(Debug)]
pub struct Listeners {
    /// What it serves.
    pub service: TcpListener,
    /// `/livez`, `/readyz` and `/metrics`.
    pub ops: TcpListener,
}

impl Listeners {
    /// Binds both; port 0 picks a free one. The error names the address.
    pub async fn bind(service: SocketAddr, ops: SocketAddr) -> io::Result<Self> {
        Ok(Self { service: bind(service).await?, ops: bind(ops).await? })
    }

    /// Where the service listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.service.local_addr()
    }

    /// Where its operators are answered.
    pub fn ops_address(&self) -> io::Result<SocketAddr> {
        self.ops.local_addr()
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}
