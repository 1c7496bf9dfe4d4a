//! One address of an upstream: its connection, its load and its health.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{Request, Response};
use hyper::body::Incoming;
use proto::{ErrorCode, ServiceError};
use tokio::sync::Mutex;
use tokio::time::{self, Instant};
use tonic::body::Body;

use super::connector::{Connector, Link};
use super::health::Health;

/// Who gave an address less time than this cannot say that it does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Member {
    pub(super) address: SocketAddr,
    pub(super) health: Health,
    link: ArcSwapOption<Link>,
    /// Held while connecting; says how the last attempt ended, so that whoever waited for it shares its
    /// failure instead of adding another.
    connecting: Mutex<LastAttempt>,
    calls: AtomicUsize,
}

#[derive(Default, PartialEq)]
enum LastAttempt {
    #[default]
    Connected,
    Failed,
}

/// A call that did not get an answer.
pub(super) struct Failure {
    pub(super) error: ServiceError,
    pub(super) request: Remains,
}

/// What is left of the request of a call that failed.
pub(super) enum Remains {
    /// It may have arrived: sending it again is its caller's decision.
    MaybeSent,
    /// It never left, since there was no connection to this address.
    NoConnection(Request<Body>),
    /// It never left, since the connection was just ending; a new one will do.
    ConnectionEnded(Request<Body>),
}

/// A call in flight; counts as load until it is dropped.
pub(super) struct Flight(Arc<Member>);

impl Member {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            health: Health::new(),
            link: ArcSwapOption::empty(),
            connecting: Mutex::default(),
            calls: AtomicUsize::new(0),
        }
    }

    /// How many calls are in flight.
    pub(super) fn load(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn begin(member: &Arc<Self>) -> Flight {
        member.calls.fetch_add(1, Ordering::Relaxed);
        Flight(member.clone())
    }

    /// Sends a request and waits for the head of the answer, until `deadline`.
    pub(super) async fn send(
        &self,
        connector: &Connector,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, Failure> {
        let began = Instant::now();
        let link = match time::timeout_at(deadline, self.link(connector)).await {
            Ok(Ok(link)) => link,
            Ok(Err(error)) => return Err(Failure { error, request: Remains::NoConnection(request) }),
            Err(_) => return Err(self.timed_out(began)),
        };
        match time::timeout_at(deadline, link.sender().try_send_request(request)).await {
            Ok(Ok(answer)) => {
                if self.health.succeeded() {
                    tracing::info!(address = %self.address, "an upstream's address answers again");
                }
                Ok(answer)
            }
            Ok(Err(mut failure)) => {
                let unsent = failure.take_message();
                let error = ServiceError::unavailable(failure.into_error());
                // An orderly end of the connection is no fault of the address.
                let Some(request) = unsent else { return Err(self.broke(&link, error)) };
                Err(Failure { error, request: Remains::ConnectionEnded(request) })
            }
            Err(_) => Err(self.timed_out(began)),
        }
    }

    /// However many calls break with one connection, it is one failure.
    fn broke(&self, link: &Arc<Link>, error: ServiceError) -> Failure {
        let before = self.link.compare_and_swap(&Some(link.clone()), None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, link)) {
            self.note(&error);
        }
        Failure { error, request: Remains::MaybeSent }
    }

    fn timed_out(&self, began: Instant) -> Failure {
        let error = ServiceError::new(ErrorCode::UpstreamTimeout);
        if began.elapsed() >= PATIENCE {
            self.note(&error);
        }
        Failure { error, request: Remains::MaybeSent }
    }

    /// Holds a failure against the address.
    fn note(&self, error: &ServiceError) {
        let ejection = self.health.failed();
        tracing::warn!(address = %self.address, %error, ?ejection, "an upstream's address failed");
        if ejection.is_some() {
            // Where calls hang the connection may be dead in one direction: the probe makes a new one.
            self.link.store(None);
        }
    }

    async fn link(&self, connector: &Connector) -> Result<Arc<Link>, ServiceError> {
        if let Some(link) = self.current(connector) {
            return Ok(link);
        }
        let waited = self.connecting.try_lock().is_err();
        let mut last_attempt = self.connecting.lock().await;
        if let Some(link) = self.current(connector) {
            return Ok(link);
        }
        if waited && *last_attempt == LastAttempt::Failed {
            return Err(ServiceError::unavailable("connecting failed for the call before"));
        }
        let connected = match connector.connect(self.address).await {
            Ok(link) => Ok(link),
            // After a reload the old connection serves on, if its server would still be believed.
            Err(error) => self.link.load_full().and_then(|link| connector.renewed(&link)).ok_or(error),
        };
        if let Err(error) = &connected {
            self.note(error);
        }
        *last_attempt = if connected.is_ok() { LastAttempt::Connected } else { LastAttempt::Failed };
        let link = connected.map(Arc::new);
        self.link.store(link.as_ref().ok().cloned());
        link
    }

    fn current(&self, connector: &Connector) -> Option<Arc<Link>> {
        self.link.load_full().filter(|link| connector.is_current(link))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}
