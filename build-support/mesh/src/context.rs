//! What is known of a call beside its message: the peer, the person behind it, the ids that tie its
//! log lines together, and how long its caller waits.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::Ids;
use chassis::trace::TraceContext;
use http::HeaderMap;
use proto::{ErrorCode, ServiceError, metadata};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{SpiffeId, deadline};

/// How long a call may take, whatever its caller wishes.
const DEADLINE_MAX: Duration = Duration::from_secs(30);
/// Longer facts than this are cut or dropped; the edge sends none.
const FACT_BYTES_MAX: usize = 512;

/// The facts of one call, put into the request's extensions before the handler runs.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The service that calls.
    pub peer: SpiffeId,
    /// The person behind the call, by a verified passport.
    pub caller: Option<Caller>,
    /// The request's id, the same in every service it reaches.
    pub request_id: String,
    /// The place in the trace.
    pub trace: TraceContext,
    /// The client's address, as the edge knows it.
    pub client_ip: Option<IpAddr>,
    /// The client's `User-Agent`, at most 512 bytes.
    pub user_agent: Option<String>,
    /// The tenant asked for where there is no token: an id or a short name.
    pub tenant: Option<String>,
    /// The `Accept-Language` of the client.
    pub language: Option<String>,
    /// When the answer is of no more use.
    pub deadline: Instant,
}

/// What a passport says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: Uuid,
    /// The tenant of the user.
    pub tenant_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// The id of the access token that was shown at the edge.
    pub token_jti: Uuid,
    /// What the caller may do, `resource:action` with an optional scope.
    pub permissions: Arc<[String]>,
}

impl RequestContext {
    /// The context of a request. Outside of the mesh's server, which is in tests of handlers, it is a
    /// stranger's: without caller or client, from a peer named `unknown`.
    pub fn of<T>(request: &tonic::Request<T>) -> RequestContext {
        request.extensions().get::<RequestContext>().cloned().unwrap_or_else(RequestContext::stranger)
    }

    /// The person behind the call; `UNAUTHENTICATED` where there is none.
    pub fn caller(&self) -> Result<&Caller, ServiceError> {
        self.caller.as_ref().ok_or_else(|| ServiceError::new(ErrorCode::Unauthenticated))
    }

    /// How long the caller still waits.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Reads the head of a call from `peer`, whose caller is verified afterwards.
    pub(crate) fn read(
        headers: &HeaderMap,
        peer: &SpiffeId,
        ids: &Ids,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Self {
        let request_id = fact(headers, metadata::REQUEST_ID).unwrap_or_else(|| ids.uuid(now).to_string());
        let trace = text(headers, metadata::TRACEPARENT).and_then(TraceContext::parse);
        let wait = deadline::read(headers).unwrap_or(DEADLINE_MAX).min(DEADLINE_MAX);
        Self {
            peer: peer.clone(),
            caller: None,
            request_id,
            trace: trace.unwrap_or_else(|| TraceContext::new(ids)),
            client_ip: text(headers, metadata::CLIENT_IP).and_then(|ip| ip.parse().ok()),
            user_agent: fact(headers, metadata::CLIENT_AGENT),
            tenant: fact(headers, metadata::TENANT),
            language: fact(headers, metadata::LANGUAGE),
            deadline: Instant::now() + wait,
        }
    }

    fn stranger() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that is spelled by the rules")]
        let peer = SpiffeId::new(crate::spiffe::DEFAULT_TRUST_DOMAIN, "unknown").expect("a well-formed id");
        Self::read(&HeaderMap::new(), &peer, &Ids::random(), chrono::DateTime::UNIX_EPOCH)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn fact(headers: &HeaderMap, name: &str) -> Option<String> {
    text(headers, name).filter(|value| !value.is_empty() && value.len() <= FACT_BYTES_MAX).map(str::to_owned)
}

/// What calls made on behalf of a call take over from it.
#[derive(Debug, Clone)]
pub(crate) struct Ambient {
    pub(crate) request_id: String,
    pub(crate) deadline: Instant,
}

tokio::task_local! {
    /// Set around every handler; tasks that begin by themselves have none.
    pub(crate) static AMBIENT: Ambient;
}
