//! Who is refused before any call: each time the handler must not have run.

use hyper_util::rt::TokioIo;
use proto::ErrorCode;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;

use crate::forge::{self, as_authority, client, honest, publish_by_hand, publish_over, shown_by, sign, uri};
use crate::world::{World, code, publish};

type Change = Box<dyn FnOnce(&mut CertificateParams)>;

/// Shows the server a certificate made with auth's honest one changed.
async fn shows(change: impl FnOnce(&mut CertificateParams)) -> Result<String, String> {
    let world = World::new();
    let served = world.serve().await;
    let mut params = honest(&world);
    change(&mut params);
    let config = client(&world, Some(sign(&world, &params)), &[&TLS13]);
    let answer = publish_by_hand(served.address, config).await;
    assert_eq!(served.ran() == 1, answer.as_deref() == Ok("0"), "an answer without a run, or a run without");
    answer
}

#[tokio::test]
async fn an_honest_certificate_is_taken() {
    assert_eq!(shows(|_| ()).await.as_deref(), Ok("0"));
}

#[tokio::test]
async fn a_certificate_that_breaks_a_rule_is_refused() {
    let hour = time::Duration::HOUR;
    let refused: [(&str, Change); 12] = [
        ("expired", Box::new(move |c| c.not_after = c.not_before + time::Duration::SECOND)),
        (
            "not yet valid",
            Box::new(move |c| {
                c.not_before += hour;
                c.not_after += hour;
            }),
        ),
        ("two URI names", Box::new(|c| c.subject_alt_names.push(uri("spiffe://platform.local/gateway")))),
        (
            "no URI name",
            Box::new(|c| c.subject_alt_names = vec![rcgen::SanType::DnsName("auth".try_into().unwrap())]),
        ),
        ("no name at all", Box::new(|c| c.subject_alt_names.clear())),
        ("an authority's id", Box::new(|c| c.subject_alt_names = vec![uri("spiffe://platform.local")])),
        ("a foreign trust domain", Box::new(|c| c.subject_alt_names = vec![uri("spiffe://elsewhere/auth")])),
        (
            "an ill-spelled id",
            Box::new(|c| c.subject_alt_names = vec![uri("spiffe://platform.local/../auth")]),
        ),
        ("an authority as leaf", Box::new(|c| *c = as_authority(c.clone()))),
        ("a leaf that signs certificates", Box::new(|c| c.key_usages.push(KeyUsagePurpose::KeyCertSign))),
        ("no key usage", Box::new(|c| c.key_usages.clear())),
        (
            "one end of TLS only",
            Box::new(|c| c.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        ),
    ];
    for (what, change) in refused {
        let answer = shows(change).await;
        assert!(answer.is_err(), "{what} was answered: {answer:?}");
    }
}

#[tokio::test]
async fn without_a_certificate_nobody_gets_in() {
    let world = World::new();
    let served = world.serve().await;
    let answer = publish_by_hand(served.address, client(&world, None, &[&TLS13])).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn a_foreign_authority_is_refused_at_both_ends() {
    let (world, foreign) = (World::new(), World::new());
    let served = world.serve().await;
    let config = client(&world, Some(shown_by(&foreign, "auth")), &[&TLS13]);
    assert!(publish_by_hand(served.address, config).await.is_err());
    let channel = foreign.channel("auth", &[served.address]);
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn a_server_that_is_another_service_is_refused() {
    let world = World::new();
    let served = world.serve_as(world.identity("gateway")).await;
    let channel = world.channel("auth", &[served.address]);
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn plaintext_is_refused() {
    let world = World::new();
    let served = world.serve().await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let answer = publish_over(TokioIo::new(stream)).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(served.ran(), 0);
}

#[tokio::test]
async fn older_tls_and_other_protocols_are_refused() {
    let world = World::new();
    let served = world.serve().await;
    let auth = || Some(forge::shown_by(&world, "auth"));
    assert!(publish_by_hand(served.address, client(&world, auth(), &[&TLS12])).await.is_err());
    let mut silent = client(&world, auth(), &[&TLS13]);
    silent.alpn_protocols.clear();
    assert!(publish_by_hand(served.address, silent).await.is_err());
    assert_eq!(served.ran(), 0);
}
