//! The way of one request through the edge, from its head to its answer, top to bottom.

mod body;
mod room;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use chassis::{Clock, Ids};
use http::request::Parts;
use http::{HeaderMap, Method as Verb, header};
use hyper::body::Incoming;
use prost::Message;
use prost_reflect::DynamicMessage;
use proto::edge::Access;
use proto::{ErrorCode, ServiceError, metadata};
use tracing::Instrument;

use crate::accept::{Head, Serve};
use crate::answer::{self, Response};
use crate::config::{Bounds, Times};
use crate::guard::authenticate::{Authenticator, Caller};
use crate::guard::client_ip::Proxies;
use crate::guard::facts::Facts;
use crate::guard::rate_limit::{Limiter, Stage, Subject, Tally};
use crate::guard::{head, tenant};
use crate::observe::Observed;
use crate::routes::{Found, Route, Table, Target};
use crate::transcode::request::{Body, BodyRule, text_at};
use crate::upstream::{Call, Upstreams};
use crate::ws::Sockets;
use proto::permission::Scope;
use room::Place;

pub(crate) use room::Room;

/// The edge: everything a request meets.
pub struct Edge {
    pub(crate) table: ArcSwap<Table>,
    pub(crate) upstreams: Upstreams,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) limiter: Limiter,
    pub(crate) proxies: Proxies,
    pub(crate) times: Times,
    pub(crate) bounds: Bounds,
    /// Requests under way.
    pub(crate) under_way: Room,
    /// Requests whose body is on its way.
    pub(crate) coming: Room,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
}

/// A request on its way: what it met so far.
struct Journey<'a> {
    head: &'a Parts,
    facts: &'a Facts,
    observed: &'a mut Observed,
    /// Headers that the answer gets, whether it is a success or not.
    extra: HeaderMap,
    /// Its place among those under way.
    place: Option<Place>,
    /// Until when the answer must be there.
    began: Instant,
}

impl Serve for Edge {
    async fn serve(self: Arc<Self>, request: hyper::Request<Incoming>, peer: IpAddr, seen: Head) -> Response {
        let (head, body) = request.into_parts();
        let client_ip = self.proxies.client(peer, &head.headers);
        let facts = Facts::read(&head.headers, client_ip, &self.ids, &self.clock);
        let span = chassis::trace::request_span("request", &facts.trace, facts.request_id());
        async {
            let mut observed = Observed::begin(&head.method);
            let mut journey = Journey {
                head: &head,
                facts: &facts,
                observed: &mut observed,
                extra: HeaderMap::new(),
                place: None,
                began: Instant::now(),
            };
            let outcome = self.answer(&mut journey, body, seen).await;
            let extra = journey.extra;
            let mut response = match outcome {
                Ok(response) => response,
                Err(error) => {
                    let response = answer::failure(&error, &facts.trace.trace_id());
                    observed.fail(error);
                    response
                }
            };
            response.headers_mut().extend(extra);
            response.headers_mut().insert(metadata::REQUEST_ID, facts.request_id.clone());
            observed.answer(response.status());
            response
        }
        .instrument(span)
        .await
    }
}

impl Edge {
    async fn answer(
        &self,
        journey: &mut Journey<'_>,
        body: Incoming,
        seen: Head,
    ) -> Result<Response, ServiceError> {
        if seen == Head::TwoLengths {
            journey.extra.insert(header::CONNECTION, http::HeaderValue::from_static("close"));
            return Err(head::malformed("a length beside chunks"));
        }
        head::check(journey.head, self.bounds.head_bytes)?;
        let path = journey.head.uri.path();
        if path == "/health" {
            return health(journey);
        }
        journey.place = Some(self.under_way.enter(journey.facts.client_ip)?);
        if path == "/ws" {
            return self.sockets.upgrade(journey.head, journey.facts);
        }
        let table = self.table.load_full();
        match table.find(path, &journey.head.method) {
            Found::Route(route, segments) => self.travel(journey, &table, &route, &segments, body).await,
            Found::OtherVerbs(verbs) => {
                journey.extra.insert(header::ALLOW, verbs);
                Err(ErrorCode::MethodNotAllowed.into())
            }
            Found::Nothing => Err(ErrorCode::NotFound.into()),
        }
    }

    /// A request whose route is known.
    async fn travel(
        &self,
        journey: &mut Journey<'_>,
        table: &Table,
        route: &Arc<Route>,
        segments: &[&str],
        body: Incoming,
    ) -> Result<Response, ServiceError> {
        journey.observed.found(route.clone());
        let mut tally = Tally::new(&route.rpc.limits);
        let outcome = self.checked(journey, route, segments, body, &mut tally).await;
        let outcome = match outcome {
            Ok(Checked { caller, message }) => self.call(journey, table, route, caller, message).await,
            Err(error) => Err(error),
        };
        tally.write(&mut journey.extra);
        if !outcome.as_ref().is_err_and(is_failed_try) {
            self.limiter.give_back(tally).await;
        }
        let printed = route.printer.print(&outcome?);
        let printed = printed.map_err(|fault| ServiceError::new(ErrorCode::UpstreamFailure).source(fault))?;
        Ok(answer::success(route, printed))
    }

    /// Every check before the call: limits and credentials first, then the content.
    async fn checked(
        &self,
        journey: &mut Journey<'_>,
        route: &Route,
        segments: &[&str],
        body: Incoming,
        tally: &mut Tally,
    ) -> Result<Checked, ServiceError> {
        let (rpc, facts) = (&route.rpc, journey.facts);
        let mut subject =
            Subject { ip: facts.client_ip, tenant: facts.tenant_asked(), caller: None, message: None };
        self.limiter.check(rpc.limits.at(Stage::Address), &subject, tally).await?;
        let caller = self.caller(journey, route).await?;
        let scope = match (&rpc.permission, &caller) {
            (Some(permission), Some(caller)) => permission.scope_in(&caller.grants)?,
            _ => Scope::Any,
        };
        subject.caller = caller.as_deref();
        self.limiter.check(rpc.limits.at(Stage::Caller), &subject, tally).await?;

        route.request.check_path(segments)?;
        let bytes = match route.request.body {
            BodyRule::None => Bytes::new(),
            _ => self.body(journey, route, body).await?,
        };
        let content_type =
            journey.head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = Body { content_type, bytes: &bytes };
        let message = route.request.read(segments, journey.head.uri.query(), body)?;
        if let (Scope::Own, Some(caller)) = (scope, &caller) {
            own(&message, route, caller)?;
        }
        subject.message = Some(&message);
        self.limiter.check(rpc.limits.at(Stage::Content), &subject, tally).await?;
        Ok(Checked { caller, message })
    }

    /// The body. While it comes its request is not under way: who sends slowly takes nobody's place.
    async fn body(
        &self,
        journey: &mut Journey<'_>,
        route: &Route,
        body: Incoming,
    ) -> Result<Bytes, ServiceError> {
        let client = journey.facts.client_ip;
        let bytes = route.rpc.body_bytes_max(self.bounds.body_bytes);
        let bounds = body::Bounds { bytes, time: self.times.body, grace: self.times.body_grace };
        journey.place = None;
        let coming = self.coming.enter(client)?;
        let (bytes, took) = body::read(journey.head, body, bounds).await?;
        drop(coming);
        journey.place = Some(self.under_way.enter(client)?);
        // The time its sender takes is not the answer's.
        journey.began += took;
        Ok(bytes)
    }

    /// Who calls, where the policy asks for it. On public methods credentials are ignored.
    async fn caller(
        &self,
        journey: &Journey<'_>,
        route: &Route,
    ) -> Result<Option<Arc<Caller>>, ServiceError> {
        match route.rpc.access {
            Access::Public => tenant::check_alone(journey.facts.tenant.as_ref()).map(|()| None),
            Access::Authenticated | Access::Permitted => {
                self.authenticator.authenticate(&journey.head.headers, journey.facts).await.map(Some)
            }
            Access::ApiKey | Access::Unspecified => Err(ErrorCode::ApiKeyRequired.into()),
        }
    }

    /// The method's answer, still encoded.
    async fn call(
        &self,
        journey: &Journey<'_>,
        table: &Table,
        route: &Route,
        caller: Option<Arc<Caller>>,
        message: DynamicMessage,
    ) -> Result<Bytes, ServiceError> {
        let service = match &route.rpc.target {
            Target::Registry => return Ok(table.registry()),
            Target::Service(service) => service,
        };
        let deadline = route.rpc.deadline(self.times.answer).saturating_sub(journey.began.elapsed());
        if deadline.is_zero() {
            return Err(ErrorCode::UpstreamTimeout.into());
        }
        let call = Call {
            path: route.rpc.path.clone(),
            message: Bytes::from(message.encode_to_vec()),
            metadata: journey.facts.metadata(caller.as_ref().map(|caller| &caller.passport)),
            deadline,
        };
        self.upstreams.call(service, call).await
    }
}

/// A request that passed every check.
struct Checked {
    caller: Option<Arc<Caller>>,
    message: DynamicMessage,
}

/// Refuses a request about somebody else where only one's own is granted.
fn own(message: &DynamicMessage, route: &Route, caller: &Caller) -> Result<(), ServiceError> {
    let owner = text_at(message, &route.rpc.owner);
    let is_own = owner.is_some_and(|owner| owner.eq_ignore_ascii_case(&caller.user_id));
    if is_own { Ok(()) } else { Err(ErrorCode::PermissionDenied.into()) }
}

fn health(journey: &mut Journey<'_>) -> Result<Response, ServiceError> {
    if matches!(journey.head.method, Verb::GET | Verb::HEAD) {
        return Ok(answer::health());
    }
    journey.extra.insert(header::ALLOW, http::HeaderValue::from_static("GET, HEAD"));
    Err(ErrorCode::MethodNotAllowed.into())
}

/// Whether a request was tried and failed by its client's fault. What a limit refused was not tried.
fn is_failed_try(error: &ServiceError) -> bool {
    (400..500).contains(&error.code().http_status()) && error.code() != ErrorCode::RateLimited
}
