//! Judges a peer's certificates: chain, times, SVID rules, trust domain, and for servers the exact id.
//! The same judgement serves both ends of a connection and, on open connections, every call.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, PeerIncompatible,
    RootCertStore, SignatureScheme,
};

use crate::{MeshError, SpiffeId, Svid};

/// The roots of one trust domain at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    domain: Arc<str>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    pub(crate) fn new(roots: RootCertStore, domain: &str, provider: &CryptoProvider) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { roots: Arc::new(roots), domain: domain.into(), algorithms }
    }

    /// Whom the certificates name, if they lead to one of the roots now.
    pub(crate) fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Svid, Error> {
        let svid = Svid::parse(leaf).map_err(refusal)?;
        if svid.id.trust_domain() != &*self.domain {
            return Err(refusal(MeshError::Svid("a foreign trust domain".to_owned())));
        }
        // Leaves carry both extended usages, so the one check serves clients and servers.
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(leaf)?,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        Ok(svid)
    }
}

/// Verifies the other end of a hand-shake.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    trust: Trust,
    expected: Option<SpiffeId>,
}

impl PeerVerifier {
    /// For servers: any member of the trust domain; the policy decides per call.
    pub(crate) fn any_member(trust: Trust) -> Self {
        Self { trust, expected: None }
    }

    /// For clients: this server and no other.
    pub(crate) fn exactly(trust: Trust, expected: SpiffeId) -> Self {
        Self { trust, expected: Some(expected) }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let svid = self.trust.judge(leaf, chain, now)?;
        match &self.expected {
            Some(expected) if *expected != svid.id => {
                Err(refusal(MeshError::Svid(format!("it names {}, not {expected}", svid.id))))
            }
            _ => Ok(()),
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.trust.algorithms)
    }
}

fn refusal(error: MeshError) -> Error {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}

/// TLS 1.2 is never offered; rustls asks for an answer all the same.
fn tls12_is_off() -> Result<HandshakeSignatureValid, Error> {
    Err(PeerIncompatible::Tls12NotOffered.into())
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, intermediates, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12_is_off()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(leaf, intermediates, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12_is_off()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}
