//! The services that call auth, each by its own identity, and what they hear.

use mesh::{Channel, Upstream};
use proto::auth::access_service_client::AccessServiceClient;
use proto::auth::account_service_client::AccountServiceClient;
use proto::auth::directory_service_client::DirectoryServiceClient;
use proto::auth::key_service_client::KeyServiceClient;
use proto::auth::page_service_client::PageServiceClient;
use proto::auth::profile_service_client::ProfileServiceClient;
use proto::auth::session_service_client::SessionServiceClient;
use proto::auth::user_service_client::UserServiceClient;
use proto::{ErrorCode, ServiceError, metadata};
use testkit::identities::Mesh;
use tonic::{Request, Response, Status};

/// What a call came to.
pub(crate) type Heard<T> = Result<T, ServiceError>;

/// A service of the mesh on the line to auth.
pub(crate) struct Voice(Channel);

impl Voice {
    pub(crate) fn of(service: &str, mesh: &Mesh, addresses: Vec<String>) -> Voice {
        let upstream = Upstream { name: "auth".to_owned(), addresses, identity: mesh.spiffe_id("auth") };
        Voice(Channel::new(mesh.identity(service), upstream))
    }

    pub(crate) fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.0.clone())
    }

    pub(crate) fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.0.clone())
    }

    pub(crate) fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.0.clone())
    }

    pub(crate) fn keys(&self) -> KeyServiceClient<Channel> {
        KeyServiceClient::new(self.0.clone())
    }

    pub(crate) fn pages(&self) -> PageServiceClient<Channel> {
        PageServiceClient::new(self.0.clone())
    }

    pub(crate) fn profiles(&self) -> ProfileServiceClient<Channel> {
        ProfileServiceClient::new(self.0.clone())
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.0.clone())
    }

    pub(crate) fn users(&self) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.0.clone())
    }
}

/// What the answer says.
pub(crate) fn hear<T>(answer: Result<Response<T>, Status>) -> Heard<T> {
    answer.map(Response::into_inner).map_err(|status| ServiceError::from_status(&status))
}

/// The code of a refusal; an answer that is none fails the story.
pub(crate) trait Refusal {
    fn refusal(self) -> ErrorCode;
}

impl<T> Refusal for Heard<T> {
    fn refusal(self) -> ErrorCode {
        self.map_err(|error| error.code()).err().unwrap()
    }
}

/// A request with what the edge knows of its client.
pub(crate) fn from_client<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(metadata::CLIENT_IP, "203.0.113.7".parse().unwrap());
    request.metadata_mut().insert(metadata::CLIENT_AGENT, "Firefox/140".parse().unwrap());
    request
}

/// The same, of somebody with this passport.
pub(crate) fn by<T>(passport: &str, message: T) -> Request<T> {
    let mut request = from_client(message);
    request.metadata_mut().insert(metadata::PASSPORT, passport.parse().unwrap());
    request
}
