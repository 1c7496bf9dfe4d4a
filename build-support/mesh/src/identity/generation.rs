//! One generation of an identity: certificate, key and bundle that belong together, and the TLS
//! configurations made of them. Configurations are swapped whole, never in part.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, Utc};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::files::{self, Files};
use super::trust::{PeerVerifier, Trust};
use crate::{MeshError, SpiffeId, Svid};

/// The only protocol spoken inside the mesh.
pub(crate) const ALPN_H2: &[u8] = b"h2";

/// What is true of an identity until the next reload.
#[derive(Debug)]
pub(crate) struct Generation {
    /// Counts reloads from 1; connections remember under which number their peer was judged.
    pub(crate) number: u64,
    pub(crate) folder: PathBuf,
    pub(crate) svid: Svid,
    pub(crate) trust: Trust,
    pub(crate) server: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clock: MeshTime,
}

impl Generation {
    /// Reads and checks a generation exactly as its peers would.
    pub(crate) fn load(folder: &Path, number: u64, clock: &Clock) -> Result<Self, MeshError> {
        let Files { chain, key, roots } = files::read(folder)?;
        let (leaf, intermediates) =
            chain.split_first().ok_or_else(|| MeshError::Svid("no certificate".to_owned()))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root)?;
        }
        let domain = Svid::parse(leaf)?.id.trust_domain().to_owned();
        let trust = Trust::new(store, &domain, &provider);
        let svid = trust.judge(leaf, intermediates, unix_time(clock.now()))?;
        let clock = MeshTime(clock.clone());
        let server = server_config(&provider, &clock, &trust, &chain, &key)?;
        Ok(Self { number, folder: folder.to_owned(), svid, trust, server, provider, chain, key, clock })
    }

    /// The configuration for dialling one server, which must have exactly this id.
    pub(crate) fn client(&self, expected: &SpiffeId) -> Result<Arc<ClientConfig>, MeshError> {
        let verifier = PeerVerifier::exactly(self.trust.clone(), expected.clone());
        let mut config =
            ClientConfig::builder_with_details(self.provider.clone(), Arc::new(self.clock.clone()))
                .with_protocol_versions(&[&TLS13])?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        // A resumed session would skip the judgement of the peer.
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(Arc::new(config))
    }
}

fn server_config(
    provider: &Arc<CryptoProvider>,
    clock: &MeshTime,
    trust: &Trust,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, MeshError> {
    let verifier = PeerVerifier::any_member(trust.clone());
    let mut config = ServerConfig::builder_with_details(provider.clone(), Arc::new(clock.clone()))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain.to_vec(), key.clone_key())?;
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Lets TLS read the same clock as everything else.
#[derive(Clone)]
struct MeshTime(Clock);

impl std::fmt::Debug for MeshTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeshTime")
    }
}

impl TimeProvider for MeshTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

/// The same moment as TLS counts it; before 1970 is 1970.
pub(crate) fn unix_time(moment: DateTime<Utc>) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(moment.timestamp()).unwrap_or(0)))
}
