//! Knocks at a port of the mesh by hand, with whatever certificate, believing whoever answers: what is
//! refused then was refused by the server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How HTTP/2 begins: the preface and an empty SETTINGS frame.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PATIENCE: Duration = Duration::from_secs(15);

/// Greets without TLS; whether the greeting was returned.
pub(crate) async fn greets_plainly(address: &str) -> bool {
    greets(TcpStream::connect(address).await.unwrap()).await
}

/// Greets over TLS, with the certificate in this identity's folder or with none; whether the greeting was
/// returned.
pub(crate) async fn greets_as(address: &str, identity: Option<&Path>) -> bool {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Believer(provider)));
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(folder) => {
            let (chain, key) = read(&folder.join("current"));
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("mesh.internal").unwrap();
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => greets(stream).await,
        Err(_) => false,
    }
}

/// Whether the other end speaks HTTP/2 with us: its first frame is its settings.
async fn greets(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> bool {
    let exchange = async {
        stream.write_all(GREETING).await?;
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await?;
        Ok::<_, std::io::Error>(frame[3] == 4)
    };
    let greeted = tokio::time::timeout(PATIENCE, exchange).await;
    greeted.expect("a stranger is turned away, not left waiting").unwrap_or(false)
}

fn read(folder: &Path) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(folder.join(mesh::identity::SVID_FILE)).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(mesh::identity::KEY_FILE)).unwrap();
    (chain.map(Result::unwrap).collect(), key)
}

/// Believes whatever certificate a server shows.
#[derive(Debug)]
struct Believer(Arc<CryptoProvider>);

impl ServerCertVerifier for Believer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
