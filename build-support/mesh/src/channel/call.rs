//! One call: what is added to its head, how long it may take, and the one case in which it is sent twice.

use std::sync::Arc;

use chassis::trace::TraceContext;
use http::uri::{Authority, Parts, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, Version};
use metrics::Counter;
use proto::{ErrorCode, ServiceError, metadata};
use tokio::time::Instant;
use tonic::body::Body;

use super::answer::Answer;
use super::member::{Failure, Member, Remains};
use super::{DEADLINE_DEFAULT, Shared};
use crate::context::AMBIENT;
use crate::deadline;

impl Shared {
    pub(super) async fn call(&self, mut request: Request<Body>) -> Result<Response<Body>, ServiceError> {
        let deadline = prepare(&mut request, &self.authority)?;
        let outcome = self.send(request, deadline).await;
        self.counters.record(&outcome);
        outcome
    }

    async fn send(&self, request: Request<Body>, deadline: Instant) -> Result<Response<Body>, ServiceError> {
        let member = self.pick(None, deadline).await?;
        let Failure { error, request } = match self.send_to(&member, request, deadline).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let (request, same_will_do) = match request {
            Remains::MaybeSent => return Err(error),
            Remains::NoConnection(request) => (request, false),
            Remains::ConnectionEnded(request) => (request, true),
        };
        match self.pick(Some(&member), deadline).await {
            Ok(another) if same_will_do || !Arc::ptr_eq(&member, &another) => {
                self.send_to(&another, request, deadline).await.map_err(|failure| failure.error)
            }
            _ => Err(error),
        }
    }

    async fn pick(
        &self,
        avoid: Option<&Arc<Member>>,
        deadline: Instant,
    ) -> Result<Arc<Member>, ServiceError> {
        match tokio::time::timeout_at(deadline, self.addresses.pick(avoid)).await {
            Ok(picked) => picked,
            Err(_) => Err(ServiceError::new(ErrorCode::UpstreamTimeout)),
        }
    }

    async fn send_to(
        &self,
        member: &Arc<Member>,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Response<Body>, Failure> {
        let flight = Member::begin(member);
        let answer = member.send(&self.connector, request, deadline).await?;
        Ok(answer.map(|body| Body::new(Answer::new(body, deadline, flight))))
    }
}

/// Makes the head complete; answers until when the call may last.
fn prepare(request: &mut Request<Body>, authority: &Authority) -> Result<Instant, ServiceError> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority.clone());
    parts.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts).map_err(ServiceError::internal)?;
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    let now = Instant::now();
    let mut until = now + deadline::read(headers).unwrap_or(DEADLINE_DEFAULT);
    // Outside of any call there is nothing to take over.
    let _ = AMBIENT.try_with(|ambient| {
        until = until.min(ambient.deadline);
        put_if_missing(headers, metadata::REQUEST_ID, || ambient.request_id.clone());
    });
    if let Some(trace) = TraceContext::current() {
        put_if_missing(headers, metadata::TRACEPARENT, || trace.traceparent());
    }
    deadline::write(headers, until.saturating_duration_since(now));
    Ok(until)
}

fn put_if_missing(headers: &mut HeaderMap, name: &'static str, value: impl FnOnce() -> String) {
    // A request id was checked when it came in, so the value is never refused.
    if !headers.contains_key(name)
        && let Ok(value) = HeaderValue::try_from(value())
    {
        headers.insert(name, value);
    }
}

/// How calls to one upstream ended, as far as the channel knows.
pub(super) struct Counters {
    answered: Counter,
    timed_out: Counter,
    unavailable: Counter,
}

impl Counters {
    pub(super) fn of(upstream: &str) -> Self {
        let counter = |outcome: &'static str| metrics::counter!("platform_mesh_calls_total", "upstream" => upstream.to_owned(), "outcome" => outcome);
        Self {
            answered: counter("answered"),
            timed_out: counter("timed_out"),
            unavailable: counter("unavailable"),
        }
    }

    fn record(&self, outcome: &Result<Response<Body>, ServiceError>) {
        let counter = match outcome {
            Ok(_) => &self.answered,
            Err(error) if error.code() == ErrorCode::UpstreamTimeout => &self.timed_out,
            Err(_) => &self.unavailable,
        };
        counter.increment(1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::context::Ambient;

    fn prepared(wish: &str) -> (Request<Body>, Duration) {
        let mut request = Request::get("/platform.auth.v1.KeyService/GetKeySet").body(Body::empty()).unwrap();
        if let Ok(wish) = HeaderValue::from_str(wish) {
            request.headers_mut().insert("grpc-timeout", wish);
        }
        let until = prepare(&mut request, &Authority::from_static("mesh.internal")).unwrap();
        (request, until - Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_lasts_as_long_as_its_caller_wishes_or_five_seconds() {
        assert_eq!(prepared("700m").1, Duration::from_millis(700));
        let (request, left) = prepared("ill-formed");
        assert_eq!(left, DEADLINE_DEFAULT);
        assert_eq!(request.headers()["grpc-timeout"], "5000000u");
        assert_eq!(request.uri(), "https://mesh.internal/platform.auth.v1.KeyService/GetKeySet");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_made_for_a_call_keeps_its_request_id_and_its_deadline() {
        let ambient =
            Ambient { request_id: "r-1".to_owned(), deadline: Instant::now() + Duration::from_secs(2) };
        let (request, left) = AMBIENT.scope(ambient, async { prepared("3S") }).await;
        assert_eq!(request.headers()[metadata::REQUEST_ID], "r-1");
        assert_eq!(left, Duration::from_secs(2));
    }
}
