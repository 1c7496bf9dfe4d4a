//! The server end of the mesh: accepts mutual TLS, judges every call, and ends in an orderly way. What
//! is served is the caller's.

mod accept;
mod access;
mod connection;
mod guard;
mod meter;
mod methods;
mod peer;
mod request;

use std::sync::Arc;

use chassis::{Ids, Lifecycle};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::ServingStatus;

use crate::{Identity, MeshError, Policy, passport};
use accept::Connections;
use guard::Guard;

/// What a service serves its contracts with.
pub struct Server {
    /// Whom the service is, and whom it believes.
    pub identity: Identity,
    /// Who may call what.
    pub policy: Policy,
    /// Who verifies passports.
    pub passports: passport::Verifier,
}

impl Server {
    /// Serves `routes`, and health beside them, until the lifecycle asks to end; then lets running calls
    /// finish for a bounded time. Fails where the contracts have a validation rule that is unknown.
    pub async fn serve(
        self,
        listener: TcpListener,
        routes: Routes,
        lifecycle: &Lifecycle,
    ) -> Result<(), MeshError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let identity = self.identity.clone();
        let guard = Guard::new(self, routes.add_service(health_service), Ids::random())?;
        let mut connections = Connections::new(identity, Arc::new(guard), Ids::random());
        connections.accept(&listener, lifecycle).await;
        health.set_service_status("", ServingStatus::NotServing).await;
        drop(listener);
        connections.drain().await;
        Ok(())
    }
}
