//! The keys of users' tokens, fetched from auth over the mesh and kept while auth is away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::{Lifecycle, Wake};
use proto::ServiceError;
use proto::auth::key_service_client::KeyServiceClient;
use proto::auth::{GetKeySetRequest, Key};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::invalid;

/// The one algorithm today; a key of another kind is passed over.
const RS256: &str = "RS256";
/// How often an unknown key makes us look for new ones.
const REFETCH_PAUSE: Duration = Duration::from_secs(30);
/// How soon after a failed fetch the next one is tried.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How often the keys are fetched anyway, so that one that was taken back is not believed for ever.
const POLL: Duration = Duration::from_mins(1);
const DEADLINE: Duration = Duration::from_secs(2);

/// The keys of users' tokens.
pub struct KeyRing {
    auth: KeyServiceClient<mesh::Channel>,
    keys: ArcSwap<KeySet>,
    fetched: Mutex<Fetched>,
}

#[derive(Default, PartialEq)]
struct KeySet {
    /// Moves whenever the keys do; 0 has none.
    version: u64,
    by_kid: HashMap<String, Arc<VerifyingKey>>,
}

/// When keys were last fetched, and whether they came.
#[derive(Default)]
struct Fetched {
    at: Option<Instant>,
    failed: bool,
}

/// A public key.
#[derive(PartialEq)]
pub(super) struct VerifyingKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl KeyRing {
    /// A ring that is filled from auth, through `channel`, when a key is first wanted.
    pub fn new(channel: mesh::Channel) -> Self {
        Self { auth: KeyServiceClient::new(channel), keys: ArcSwap::default(), fetched: Mutex::default() }
    }

    /// Fetches the keys every minute for as long as the process runs.
    pub fn watch(self: &Arc<Self>, lifecycle: &Lifecycle) {
        let ring = self.clone();
        lifecycle.every("token keys", POLL, Wake::default(), move || {
            let ring = ring.clone();
            async move {
                let mut fetched = ring.fetched.lock().await;
                ring.fetch(&mut fetched).await.map(|()| 0)
            }
        });
    }

    /// Moves whenever the keys do; 0 until they have been fetched for the first time.
    pub fn version(&self) -> u64 {
        self.keys.load().version
    }

    /// The key of this id, and the version of the set it is in. An unknown one is looked for at auth, but
    /// not more than every 30 s, and by one caller at a time.
    pub(super) async fn find(&self, kid: &str) -> Result<(Arc<VerifyingKey>, u64), ServiceError> {
        if let Some(found) = self.get(kid) {
            return Ok(found);
        }
        let mut fetched = self.fetched.lock().await;
        if let Some(found) = self.get(kid) {
            return Ok(found);
        }
        let pause = if fetched.failed { RETRY_PAUSE } else { REFETCH_PAUSE };
        let rests = fetched.at.is_some_and(|at| at.elapsed() < pause);
        match (rests, fetched.failed) {
            (true, true) => {
                return Err(ServiceError::unavailable("the keys could not be fetched a moment ago"));
            }
            (true, false) => {}
            (false, _) => self.fetch(&mut fetched).await?,
        }
        self.get(kid).ok_or_else(|| invalid("an unknown key"))
    }

    fn get(&self, kid: &str) -> Option<(Arc<VerifyingKey>, u64)> {
        let keys = self.keys.load();
        keys.by_kid.get(kid).map(|key| (key.clone(), keys.version))
    }

    async fn fetch(&self, fetched: &mut Fetched) -> Result<(), ServiceError> {
        let mut request = tonic::Request::new(GetKeySetRequest {});
        request.set_timeout(DEADLINE);
        let answer = self.auth.clone().get_key_set(request).await;
        *fetched = Fetched { at: Some(Instant::now()), failed: answer.is_err() };
        let answer =
            answer.map_err(|status| ServiceError::unavailable(format!("keys: {}", status.message())))?;
        let keys = answer.into_inner().keys;
        let by_kid =
            keys.iter().filter_map(|key| Some((key.kid.clone(), Arc::new(VerifyingKey::read(key)?))));
        let by_kid: HashMap<_, _> = by_kid.collect();
        let current = self.keys.load();
        if current.by_kid != by_kid {
            self.keys.store(Arc::new(KeySet { version: current.version + 1, by_kid }));
        }
        Ok(())
    }
}

impl VerifyingKey {
    fn read(key: &Key) -> Option<Self> {
        if key.kty != "RSA" || key.alg != RS256 || key.r#use != "sig" {
            return None;
        }
        let decode = |text: Option<&String>| URL_SAFE_NO_PAD.decode(text?).ok();
        Some(Self { modulus: decode(key.n.as_ref())?, exponent: decode(key.e.as_ref())? })
    }

    /// Whether the signature is this key's, by the key's own algorithm; what the token says of its
    /// algorithm must agree.
    pub(super) fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        if algorithm != RS256 {
            return false;
        }
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
    }
}
