//! The contracts of auth: an rpc is parse, flow, answer.

mod access_service;
mod account_service;
pub(crate) mod convert;
mod directory_service;
mod key_service;
mod page_service;
mod profile_service;
mod session_service;
mod user_service;

use std::sync::Arc;

use proto::ServiceError;
use proto::auth::access_service_server::AccessServiceServer;
use proto::auth::account_service_server::AccountServiceServer;
use proto::auth::directory_service_server::DirectoryServiceServer;
use proto::auth::key_service_server::KeyServiceServer;
use proto::auth::page_service_server::PageServiceServer;
use proto::auth::profile_service_server::ProfileServiceServer;
use proto::auth::session_service_server::SessionServiceServer;
use proto::auth::user_service_server::UserServiceServer;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::app::Auth;

/// Every contract of auth, answered by the same flows.
#[derive(Clone)]
struct Rpc(Arc<Auth>);

type Answer<T> = Result<Response<T>, Status>;

/// The contracts as routes.
pub(crate) fn routes(auth: &Arc<Auth>) -> Routes {
    let rpc = Rpc(Arc::clone(auth));
    let mut routes = Routes::builder();
    routes
        .add_service(AccountServiceServer::new(rpc.clone()))
        .add_service(SessionServiceServer::new(rpc.clone()))
        .add_service(ProfileServiceServer::new(rpc.clone()))
        .add_service(PageServiceServer::new(rpc.clone()))
        .add_service(UserServiceServer::new(rpc.clone()))
        .add_service(KeyServiceServer::new(rpc.clone()))
        .add_service(AccessServiceServer::new(rpc.clone()))
        .add_service(DirectoryServiceServer::new(rpc));
    routes.routes()
}

/// The answer to a flow's outcome. A failure is logged here, once, with what is known inside.
fn answer<T>(outcome: Result<T, ServiceError>) -> Answer<T> {
    outcome.map(Response::new).map_err(|error| {
        if error.code().http_status() >= 500 {
            tracing::error!(code = error.code().as_str(), %error, "the call failed");
        } else {
            tracing::debug!(code = error.code().as_str(), "the call was refused");
        }
        error.into()
    })
}
