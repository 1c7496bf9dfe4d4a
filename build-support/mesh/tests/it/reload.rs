//! Certificates, keys and roots change while calls run: none is lost, and what is trusted no more is
//! refused, also on connections that are open.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use mesh::Identity;
use proto::ErrorCode;

use crate::world::{DAY, POLICY, World, channel_of, code, publish};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_certificates_keys_and_roots_under_load_lose_no_call() {
    let world = World::new();
    let served = world.serve().await;
    let auth = world.identity("auth");
    let channel = channel_of(auth.clone(), &[served.address]);
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (channel, done) = (channel.clone(), done.clone());
            served.lifecycle.spawn_until_end(async move {
                while !done.load(Ordering::SeqCst) {
                    publish(&channel).await.unwrap();
                }
            })
        })
        .collect();
    let both = bundle_of(&[&world, &World::new()]);
    for _ in 0..10 {
        let before = served.ran();
        for (name, identity) in [("auth", &auth), ("notify", &served.identity)] {
            world.renew(name);
            assert!(identity.reload().unwrap());
            add_generation(&world, name, &both);
            assert!(identity.reload().unwrap());
        }
        while served.ran() < before + 50 {
            tokio::task::yield_now().await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.expect("a call was lost");
    }
}

#[tokio::test]
async fn a_call_in_flight_finishes_while_the_channel_moves_on() {
    let world = World::new();
    let mut served = world.serve().await;
    let auth = world.identity("auth");
    let channel = channel_of(auth.clone(), &[served.address]);
    let held = served.hold().await;
    let running = publish(&channel);
    let reload = async {
        served.reached(1).await;
        world.renew("auth");
        assert!(auth.reload().unwrap());
        let behind = publish(&channel);
        drop(held);
        behind.await
    };
    let (running, behind) = tokio::join!(running, reload);
    running.expect("the call on the old connection finishes");
    behind.expect("the call on the new connection is answered");
}

#[tokio::test]
async fn a_peer_whose_authority_was_removed_is_refused_on_its_open_connection() {
    let (world, other) = (World::new(), World::new());
    // Both roots at first: the server believes its own authority and the other.
    add_generation(&world, "notify", &bundle_of(&[&world, &other]));
    add_generation(&other, "auth", &bundle_of(&[&world, &other]));
    let served = world.serve().await;
    let channel = channel_of(other.identity("auth"), &[served.address]);
    publish(&channel).await.unwrap();

    add_generation(&world, "notify", &bundle_of(&[&world]));
    assert!(served.identity.reload().unwrap());
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(served.ran(), 1);
}

#[tokio::test]
async fn a_server_whose_authority_was_removed_is_called_no_more() {
    let (world, other) = (World::new(), World::new());
    add_generation(&world, "notify", &bundle_of(&[&world, &other]));
    add_generation(&other, "auth", &bundle_of(&[&world, &other]));
    let served = world.serve().await;
    let auth = other.identity("auth");
    let channel = channel_of(auth.clone(), &[served.address]);
    publish(&channel).await.unwrap();

    add_generation(&other, "auth", &bundle_of(&[&other]));
    assert!(auth.reload().unwrap());
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(served.ran(), 1);
}

#[tokio::test]
async fn a_certificate_that_ends_is_refused_on_its_open_connection() {
    let world = World::new();
    let served = world.serve().await;
    let channel = world.channel("auth", &[served.address]);
    publish(&channel).await.unwrap();
    world.clock.advance((DAY + TimeDelta::seconds(1)).to_std().unwrap());
    // The server's own is renewed, so that the client's is what is judged.
    world.renew("notify");
    assert!(served.identity.reload().unwrap());
    assert_eq!(code(publish(&channel).await), ErrorCode::ServiceUnavailable);
    assert_eq!(served.ran(), 1);
}

#[tokio::test]
async fn a_broken_generation_keeps_the_last_good_one() {
    let world = World::new();
    let served = world.serve().await;
    let good = served.identity.svid().serial;
    let dir = world.folder("notify");
    let broken: [(&str, &Damage); 4] = [
        ("half written", &|folder| fs::remove_file(folder.join("key.pem")).unwrap()),
        ("cut short", &|folder| {
            fs::write(folder.join("svid.pem"), "-----BEGIN CERTIFICATE-----\nMII").unwrap();
        }),
        ("another key", &|folder| {
            fs::copy(world.folder("auth/current/key.pem"), folder.join("key.pem")).unwrap();
        }),
        ("another service", &|folder| {
            for file in ["svid.pem", "key.pem"] {
                fs::copy(world.folder("auth/current").join(file), folder.join(file)).unwrap();
            }
        }),
    ];
    for (what, break_it) in broken {
        world.renew("notify");
        break_it(&dir.join("current").canonicalize().unwrap());
        assert!(served.identity.reload().is_err(), "{what} was taken");
        assert_eq!(served.identity.svid().serial, good);
        publish(&world.channel("auth", &[served.address])).await.unwrap();
    }
    world.renew("notify");
    assert!(served.identity.reload().unwrap());
}

#[tokio::test]
async fn a_new_policy_holds_at_once_and_a_broken_one_never() {
    let world = World::new();
    let served = world.serve().await;
    let (auth, gateway) =
        (world.channel("auth", &[served.address]), world.channel("gateway", &[served.address]));
    publish(&auth).await.unwrap();

    world.write_policy(
        "version = 1\n[[allow]]\nfrom = [\"gateway\"]\nto = \"no.such.Service\"\nmethods = [\"*\"]",
    );
    assert!(served.policy.reload().is_err());
    publish(&auth).await.unwrap();

    world.write_policy(&POLICY.replace("auth", "gateway"));
    assert!(served.policy.reload().unwrap());
    assert_eq!(code(publish(&auth).await), ErrorCode::PermissionDenied);
    publish(&gateway).await.unwrap();
    assert!(!served.policy.reload().unwrap());
    assert_eq!(served.ran(), 3);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let world = World::new();
    let key = world.folder("auth/current/key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let refusal = Identity::open(world.folder("auth"), world.clock.clone()).err().unwrap();
    assert!(refusal.to_string().contains("others may read this key"), "{refusal}");
}

#[test]
fn an_identity_outside_its_folder_is_refused() {
    let world = World::new();
    let dir = world.folder("elsewhere");
    fs::create_dir(&dir).unwrap();
    symlink("../auth/current", dir.join("current")).unwrap();
    let refusal = Identity::open(dir, world.clock.clone()).err().unwrap();
    assert!(refusal.to_string().contains("leads out"), "{refusal}");
}

type Damage<'a> = dyn Fn(&Path) + 'a;

fn bundle_of(worlds: &[&World]) -> String {
    worlds
        .iter()
        .map(|world| fs::read_to_string(world.folder("ca/root/current/certificate.pem")).unwrap())
        .collect()
}

/// The present generation of a service with another bundle.
fn add_generation(world: &World, name: &str, bundle: &str) {
    let present = world.folder(name).join("current");
    let (svid, key) =
        (fs::read(present.join("svid.pem")).unwrap(), fs::read(present.join("key.pem")).unwrap());
    world.renew(name);
    let next = world.folder(name).join("current");
    fs::write(next.join("svid.pem"), svid).unwrap();
    fs::write(next.join("key.pem"), key).unwrap();
    fs::write(next.join("bundle.pem"), bundle).unwrap();
}
