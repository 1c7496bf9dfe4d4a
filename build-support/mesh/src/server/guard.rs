//! What every call passes before its handler runs, in this order: the peer is still trusted, the policy
//! names the call, the passport is genuine, the message keeps the contract's rules. The first refusal
//! is the answer.

use std::panic::AssertUnwindSafe;

use chassis::Ids;
use chassis::trace::request_span;
use futures::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use proto::{ErrorCode, ServiceError, metadata};
use tokio::time;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service as _;
use tracing::Instrument as _;

use super::meter::{Call, Metered};
use super::methods::{Method, Methods};
use super::peer::Peer;
use super::{Server, request};
use crate::context::{AMBIENT, Ambient, RequestContext};
use crate::{Identity, MeshError, Policy, passport};

/// Stands before all handlers of a server.
pub(super) struct Guard {
    identity: Identity,
    policy: Policy,
    passports: passport::Verifier,
    methods: Methods,
    routes: Routes,
    ids: Ids,
}

impl Guard {
    pub(super) fn new(server: Server, routes: Routes, ids: Ids) -> Result<Self, MeshError> {
        let Server { identity, policy, passports } = server;
        let methods = Methods::of(policy.contracts())?;
        Ok(Self { identity, policy, passports, methods, routes: routes.prepare(), ids })
    }

    /// Answers one call, by the handler or by the first refusal.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: &Peer) -> Response<Metered> {
        let method = self.methods.at(request.uri().path()).clone();
        let call = Call::begin(method.clone());
        let context =
            RequestContext::read(request.headers(), peer.id(), &self.ids, self.identity.clock().now());
        let span = request_span(request.uri().path(), &context.trace, &context.request_id);
        let answer = async {
            let outcome = time::timeout_at(
                context.deadline,
                self.admit_and_run(request, &method, peer, context.clone()),
            );
            outcome.await.unwrap_or_else(|_| Err(ServiceError::new(ErrorCode::UpstreamTimeout)))
        };
        let answer =
            answer.instrument(span).await.unwrap_or_else(|refusal| Status::from(refusal).into_http());
        call.follow(answer)
    }

    async fn admit_and_run(
        &self,
        request: Request<Incoming>,
        method: &Method,
        peer: &Peer,
        mut context: RequestContext,
    ) -> Result<Response<Body>, ServiceError> {
        self.admit(request.uri().path(), peer)?;
        context.caller = self.caller(&request).await?;
        method.judge(context.caller.as_ref())?;
        let mut request = request::checked(request, method).await?;
        let ambient = Ambient { request_id: context.request_id.clone(), deadline: context.deadline };
        request.extensions_mut().insert(context);
        let mut routes = self.routes.clone();
        let handler = AssertUnwindSafe(AMBIENT.scope(ambient, routes.call(request)));
        match handler.catch_unwind().await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(never)) => match never {},
            Err(_) => {
                // What it said is on the standard error by the panic hook; the others' calls go on.
                tracing::error!("a handler panicked");
                Err(ServiceError::internal("a handler panicked"))
            }
        }
    }

    fn admit(&self, path: &str, peer: &Peer) -> Result<(), ServiceError> {
        if !peer.is_trusted(&self.identity) {
            // The caller holds an outdated certificate and may come again with a new one: to its own
            // clients that is a dependency that is away, not a right they lack.
            return Err(ServiceError::unavailable("the peer's certificate is trusted no more"));
        }
        if !self.policy.allows(peer.id(), path) {
            metrics::counter!("platform_mesh_policy_refusals_total", "peer" => peer.id().to_string())
                .increment(1);
            tracing::warn!(peer = %peer.id(), rpc = path, "the call policy does not let this peer make this call");
            return Err(ServiceError::new(ErrorCode::PermissionDenied));
        }
        Ok(())
    }

    async fn caller(&self, request: &Request<Incoming>) -> Result<Option<crate::Caller>, ServiceError> {
        let Some(value) = request.headers().get(metadata::PASSPORT) else { return Ok(None) };
        let passport = value.to_str().map_err(|_| ServiceError::new(ErrorCode::Unauthenticated))?;
        let verified = self.passports.verify(passport).await;
        if let Err(refusal) = &verified {
            tracing::warn!(%refusal, "a passport was refused");
        }
        verified.map(Some)
    }
}
