//! What the platform prints when it is up: where everything is, and what to try first.

use std::net::SocketAddr;

/// Where everything listens.
pub(crate) struct Places {
    pub(crate) gateway: SocketAddr,
    pub(crate) gateway_ops: SocketAddr,
    pub(crate) auth: SocketAddr,
    pub(crate) auth_ops: SocketAddr,
    pub(crate) notify: SocketAddr,
    pub(crate) notify_ops: SocketAddr,
}

/// Prints it, for people to read and for scripts to find the ports in.
pub(crate) fn print(places: &Places) {
    let Places { gateway, gateway_ops, auth, auth_ops, notify, notify_ops } = places;
    println!("gateway http://{gateway}");
    println!("gateway operations http://{gateway_ops}");
    println!("auth grpc {auth}");
    println!("auth operations http://{auth_ops}");
    println!("notify grpc {notify}");
    println!("notify operations http://{notify_ops}");
    println!();
    println!("try:");
    let json = "-H 'Content-Type: application/json'";
    println!("  curl http://{gateway}/health");
    println!(
        "  curl {json} http://{gateway}/auth/register -d '{{\"email\":\"ana@example.org\",\"password\":\"correct horse battery\"}}'"
    );
    println!(
        "  curl {json} http://{gateway}/auth/login -d '{{\"email\":\"ana@example.org\",\"password\":\"correct horse battery\"}}'"
    );
    println!();
}
