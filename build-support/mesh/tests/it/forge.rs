//! Certificates that no honest authority makes, signed with the world's own issuer, and clients that
//! show them.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::world::{World, event};

/// Certificate chain and key, as a client shows them.
pub(crate) type Shown = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What auth's certificate says, for a test to change.
pub(crate) fn honest(world: &World) -> CertificateParams {
    let now = OffsetDateTime::from_unix_timestamp(world.clock.now().timestamp()).unwrap();
    let mut params = CertificateParams::default();
    params.not_before = now - time::Duration::MINUTE;
    params.not_after = now + time::Duration::HOUR;
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![uri("spiffe://platform.local/auth")];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

/// The same, as an authority.
pub(crate) fn as_authority(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    params
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// Signs with the issuer of the world.
pub(crate) fn sign(world: &World, params: &CertificateParams) -> Shown {
    let folder = world.folder("ca/issuer/current");
    let pem = fs::read_to_string(folder.join("certificate.pem")).unwrap();
    let key = KeyPair::from_pem(&fs::read_to_string(folder.join("key.pem")).unwrap()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&pem, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &issuer).unwrap();
    let issuer = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    (vec![leaf.into(), issuer], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// What a service of another world shows.
pub(crate) fn shown_by(world: &World, name: &str) -> Shown {
    let folder = world.folder(name).join("current");
    let chain = CertificateDer::pem_file_iter(folder.join("svid.pem")).unwrap().map(Result::unwrap).collect();
    (chain, PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap())
}

/// A client that shows this, or nothing, and speaks these versions.
pub(crate) fn client(
    world: &World,
    shown: Option<Shown>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let bundle = world.folder("notify/current/bundle.pem");
    for root in CertificateDer::pem_file_iter(bundle).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Publishes over a connection of its own, by hand; the gRPC status, or what went wrong before one.
pub(crate) async fn publish_by_hand(address: SocketAddr, config: ClientConfig) -> Result<String, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from("notify").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    publish_over(TokioIo::new(stream)).await
}

/// Publishes over whatever this is.
pub(crate) async fn publish_over(
    stream: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
) -> Result<String, String> {
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .map_err(|error| error.to_string())?;
    let message = event().encode_to_vec();
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let request = http::Request::post("https://notify/platform.notify.v1.EventService/Publish")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(bytes::Bytes::from(body)))
        .unwrap();
    let call = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let in_head = answer.headers().get("grpc-status").cloned();
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
        let status = in_head.or_else(|| body.trailers()?.get("grpc-status").cloned());
        Ok(status.unwrap().to_str().unwrap().to_owned())
    };
    tokio::select! {
        answer = call => answer,
        ended = connection => Err(format!("the connection ended: {ended:?}")),
    }
}
