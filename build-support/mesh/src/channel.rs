//! The client end of the mesh: one upstream service, however many addresses it has. It finds them,
//! connects with our identity, spreads calls, gives up in time, and says of every failure what the
//! caller may conclude from it.

mod addresses;
mod answer;
mod call;
mod connector;
mod health;
mod member;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::uri::Authority;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;

use crate::{Identity, SpiffeId};
use addresses::Addresses;
use call::Counters;
use connector::Connector;

/// How long a call may take where its caller does not say.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// A service to call.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name, for logs and metrics.
    pub name: String,
    /// Where it is: `host:port`, a name standing for as many addresses as it resolves to.
    pub addresses: Vec<String>,
    /// Who must answer there.
    pub identity: SpiffeId,
}

/// A channel to an upstream; clones share connections. It takes requests of generated tonic clients as
/// well as raw ones: `Request<tonic::body::Body>`, of which the path, the head and the body matter.
///
/// Every failure is a `Status` of our contract: `UPSTREAM_TIMEOUT` past the deadline (`grpc-timeout`, else
/// five seconds, within that of the call it is made for), `SERVICE_UNAVAILABLE` where no connection could be
/// had or it broke before the answer, `UPSTREAM_FAILURE` where the answer broke off. A request that
/// provably was never sent is sent once more, on another address where there is one. A deadline bounds
/// the whole answer: streams without an end are not for this channel.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    authority: Authority,
    addresses: Addresses,
    connector: Connector,
    counters: Counters,
}

impl Channel {
    /// A channel that connects when it is first called.
    pub fn new(identity: Identity, upstream: Upstream) -> Self {
        let Upstream { name, addresses, identity: expected } = upstream;
        let counters = Counters::of(&name);
        let shared = Shared {
            name,
            // Names no host: whom we speak to is proved by the certificate.
            authority: Authority::from_static("mesh.internal"),
            addresses: Addresses::new(addresses),
            connector: Connector::new(identity, expected),
            counters,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The upstream's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    /// Always: what waits, waits inside the call, under its deadline.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = self.shared.clone();
        Box::pin(async move { shared.call(request).await.map_err(Status::from) })
    }
}
