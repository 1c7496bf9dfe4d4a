//! The shipped policy against the contracts: nothing the edge opens is closed to the gateway, and
//! nothing is open that nobody needs.

use mesh::{Policy, SpiffeId};

fn member(name: &str) -> SpiffeId {
    SpiffeId::new("platform.local", name).unwrap()
}

fn policy() -> Policy {
    Policy::parse(certs::POLICY).expect("the policy names only what the contracts have")
}

/// Every method at its path, and whether the outside reaches it.
fn methods() -> Vec<(String, bool)> {
    let http = proto::pool().get_extension_by_name("google.api.http").unwrap();
    let services = proto::pool().services();
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            (path, method.options().has_extension(&http))
        })
        .collect()
}

#[test]
fn the_gateway_may_call_whatever_the_edge_opens() {
    let (policy, gateway) = (policy(), member("gateway"));
    // The registry is answered by the edge itself.
    let opened = methods().into_iter().filter(|(path, open)| *open && !path.contains("RouteService"));
    for (path, _) in opened {
        assert!(policy.allows(&gateway, &path), "{path}");
    }
}

#[test]
fn who_may_call_what_inside() {
    let policy = policy();
    let mut open = Vec::new();
    for (path, _) in methods().into_iter().filter(|(_, open)| !open) {
        for caller in ["gateway", "auth", "notify", "stranger"] {
            if policy.allows(&member(caller), &path) {
                open.push(format!("{caller} → {}", path.trim_start_matches("/platform.")));
            }
        }
    }
    open.sort();
    insta::assert_snapshot!(open.join("\n"), @r"
    auth → notify.v1.EventService/Publish
    gateway → auth.v1.AccessService/Authenticate
    gateway → auth.v1.KeyService/GetPassportKeySet
    gateway → notify.v1.InboxService/BatchGetRevisions
    gateway → notify.v1.InboxService/SyncInbox
    notify → auth.v1.DirectoryService/BatchGetContacts
    notify → auth.v1.DirectoryService/RevealSecret
    notify → auth.v1.KeyService/GetPassportKeySet
    ");
}

#[test]
fn what_the_edge_opens_is_open_to_the_gateway_alone() {
    let policy = policy();
    for (path, _) in methods().into_iter().filter(|(_, open)| *open) {
        for caller in ["auth", "notify", "stranger"] {
            assert!(!policy.allows(&member(caller), &path), "{caller} → {path}");
        }
    }
}
