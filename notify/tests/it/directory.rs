//! A directory in auth's place: the same contract over the same mutual TLS, with people, secrets and a key
//! for passports of the test's choosing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chassis::{Clock, Lifecycle};
use mesh::passport::{KeySource, Signer, Verifier};
use mesh::{Policy, Server};
use proto::auth::directory_service_server::{DirectoryService, DirectoryServiceServer};
use proto::auth::key_service_server::{KeyService, KeyServiceServer};
use proto::auth::{
    BatchGetContactsRequest, BatchGetContactsResponse, Contact, GetKeySetRequest, GetKeySetResponse,
    GetPassportKeySetRequest, GetPassportKeySetResponse, Key, RevealSecretRequest, RevealSecretResponse,
};
use proto::{ErrorCode, ServiceError};
use testkit::identities::Mesh;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// A running directory; it ends with the value.
pub(crate) struct Directory {
    pub(crate) addr: SocketAddr,
    /// Who makes passports.
    pub(crate) signer: Signer,
    known: Arc<Known>,
    life: Lifecycle,
}

#[derive(Default)]
struct Known {
    contacts: Mutex<HashMap<String, Contact>>,
    secrets: Mutex<HashMap<String, RevealSecretResponse>>,
}

impl Directory {
    pub(crate) async fn start(mesh: &Mesh) -> Directory {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (known, life) = (Arc::new(Known::default()), Lifecycle::new());
        let server = Server {
            identity: mesh.identity("auth"),
            policy: Policy::parse(include_str!("../../../certs/policy.toml")).unwrap(),
            passports: Verifier::new(KeySource::fixed(Vec::new()), Clock::system()),
        };
        let signer = Signer::new("k1", &Signer::generate().unwrap()).unwrap();
        let keys = Keys(signer.verifying_key().to_jwk());
        let routes = Routes::new(DirectoryServiceServer::new(Answers(known.clone())))
            .add_service(KeyServiceServer::new(keys));
        let serving = life.clone();
        life.spawn("directory", async move { server.serve(listener, routes, &serving).await.unwrap() });
        Directory { addr, signer, known, life }
    }

    pub(crate) fn knows(&self, contact: Contact) {
        self.known.contacts.lock().unwrap().insert(contact.user_id.clone(), contact);
    }

    pub(crate) fn keeps_secret(&self, reference: &str, secret: RevealSecretResponse) {
        self.known.secrets.lock().unwrap().insert(reference.to_owned(), secret);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.life.shutdown();
    }
}

struct Answers(Arc<Known>);

#[tonic::async_trait]
impl DirectoryService for Answers {
    async fn batch_get_contacts(
        &self,
        request: Request<BatchGetContactsRequest>,
    ) -> Result<Response<BatchGetContactsResponse>, Status> {
        let known = self.0.contacts.lock().unwrap();
        let contacts = request.get_ref().user_ids.iter().filter_map(|id| known.get(id).cloned()).collect();
        Ok(Response::new(BatchGetContactsResponse { contacts }))
    }

    async fn reveal_secret(
        &self,
        request: Request<RevealSecretRequest>,
    ) -> Result<Response<RevealSecretResponse>, Status> {
        let secret = self.0.secrets.lock().unwrap().get(&request.get_ref().reference).cloned();
        Ok(Response::new(secret.ok_or_else(|| ServiceError::new(ErrorCode::AuthLinkInvalid))?))
    }
}

struct Keys(Key);

#[tonic::async_trait]
impl KeyService for Keys {
    async fn get_key_set(&self, _: Request<GetKeySetRequest>) -> Result<Response<GetKeySetResponse>, Status> {
        Ok(Response::new(GetKeySetResponse { keys: Vec::new() }))
    }

    async fn get_passport_key_set(
        &self,
        _: Request<GetPassportKeySetRequest>,
    ) -> Result<Response<GetPassportKeySetResponse>, Status> {
        Ok(Response::new(GetPassportKeySetResponse { keys: vec![self.0.clone()] }))
    }
}
