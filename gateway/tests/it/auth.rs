//! An auth that does as it is told, and the tokens it signs.

mod services;

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::{Clock, Lifecycle};
use mesh::passport::{KeySource, Signer};
use mesh::{Policy, RequestContext};
use proto::ErrorCode;
use proto::auth::access_service_server::AccessServiceServer;
use proto::auth::key_service_server::KeyServiceServer;
use proto::auth::page_service_server::PageServiceServer;
use proto::auth::profile_service_server::ProfileServiceServer;
use proto::auth::session_service_server::SessionServiceServer;
use proto::auth::{Key, UpdateMeRequest};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::service::Routes;
use uuid::Uuid;

use crate::world::Mesh;
use services::Served;

pub(crate) const USER: Uuid = Uuid::from_u128(0x0192_f0c1_2345_7abc_8def_0000_0000_0001);
pub(crate) const TENANT: Uuid = Uuid::from_u128(0x0192_f0c1_2345_7abc_8def_0000_0000_0002);
pub(crate) const SESSION: Uuid = Uuid::from_u128(0x0192_f0c1_2345_7abc_8def_0000_0000_0003);
/// The version of rights that tokens are issued with.
pub(crate) const VERSION: u64 = 7;
pub(crate) const ISSUER: &str = "http://edge.test";

/// An auth that does as it is told.
pub(crate) struct Auth {
    pub(crate) clock: Clock,
    key: RsaKeyPair,
    pub(crate) signer: Signer,
    pub(crate) permissions: Mutex<Vec<String>>,
    /// What `Authenticate` fails with.
    pub(crate) refuses: Mutex<Option<ErrorCode>>,
    /// What `GetMe` and `Login` fail with.
    pub(crate) fails: Mutex<Option<Status>>,
    /// How often `Authenticate` was called.
    pub(crate) asked: AtomicUsize,
    /// How often keys were fetched.
    pub(crate) keys_fetched: AtomicUsize,
    pub(crate) seen: Mutex<Option<RequestContext>>,
    pub(crate) updated: Mutex<Option<UpdateMeRequest>>,
    /// One permit lets one `GetMe` finish.
    pub(crate) gate: Semaphore,
    /// Tells when a `GetMe` has begun.
    pub(crate) begun: Semaphore,
}

impl Auth {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            key: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            signer: Signer::new("p1", &Signer::generate().unwrap()).unwrap(),
            permissions: Mutex::new(vec!["user:read:self".to_owned()]),
            refuses: Mutex::default(),
            fails: Mutex::default(),
            asked: AtomicUsize::new(0),
            keys_fetched: AtomicUsize::new(0),
            seen: Mutex::default(),
            updated: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            begun: Semaphore::new(0),
        }
    }

    pub(crate) async fn serve(self: Arc<Self>, mesh: &Mesh, life: &Lifecycle) -> SocketAddr {
        let served = Served(self.clone());
        let routes = Routes::new(KeyServiceServer::new(served.clone()))
            .add_service(AccessServiceServer::new(served.clone()))
            .add_service(ProfileServiceServer::new(served.clone()))
            .add_service(SessionServiceServer::new(served.clone()))
            .add_service(PageServiceServer::new(served));
        let keys = KeySource::fixed(vec![self.signer.verifying_key()]);
        mesh.serve("auth", Policy::parse(certs::POLICY).unwrap(), routes, keys, life).await
    }

    /// A signed token whose header and claims are the good ones, changed by these.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = self.unsigned(header, claims);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn unsigned(&self, header: &Value, claims: &Value) -> String {
        let now = self.clock.now().timestamp();
        let good_header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "k1"});
        let good_claims = json!({
            "iss": ISSUER, "aud": "platform", "sub": USER, "tid": TENANT, "sid": SESSION,
            "jti": Uuid::from_u128(9), "pv": VERSION, "iat": now, "nbf": now, "exp": now + 900,
        });
        let part = |good: Value, changes: &Value| URL_SAFE_NO_PAD.encode(changed(good, changes).to_string());
        format!("{}.{}", part(good_header, header), part(good_claims, claims))
    }

    /// The public half, as `RSAPublicKey` (RFC 8017) and as a JWK.
    pub(crate) fn jwk(&self) -> Key {
        let der = self.key.public_key().as_ref();
        let (modulus, exponent) = (&der[9..265], &der[der.len() - 3..]);
        Key {
            kty: "RSA".into(),
            r#use: "sig".into(),
            alg: "RS256".into(),
            kid: "k1".into(),
            n: Some(URL_SAFE_NO_PAD.encode(modulus)),
            e: Some(URL_SAFE_NO_PAD.encode(exponent)),
            ..Key::default()
        }
    }

    /// The public key as anybody may have it, in DER.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        self.key.public_key().as_der().unwrap().as_ref().to_vec()
    }

    pub(crate) fn failure(&self) -> Result<(), Status> {
        self.fails.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

/// An object with some members changed; `null` removes one.
fn changed(mut object: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
    object
}
