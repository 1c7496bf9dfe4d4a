//! One more gateway: it shares everything with the first but its addresses.

use super::{Process, READY, World, eventually, settings};
use testkit::http::Client;

impl World {
    /// Starts one, in a world of three processes.
    pub(crate) async fn add_gateway(&mut self) {
        let identity = self.identity_dir("gateway").display().to_string();
        let (listen, operations) = (self.other_edge_address(), format!("{}:9081", self.host));
        let own = [
            ("MESH_CERT_DIR", identity.as_str()),
            ("GATEWAY_LISTEN", &listen),
            ("GATEWAY_OPS_LISTEN", &operations),
        ];
        let log = self.folder.path().join("other_gateway.log");
        self.processes.push(Process::start("gateway", &settings::of(self, &own), log));
        let operations = Client::new(format!("http://{operations}"));
        eventually("the other gateway is ready", READY, async || {
            assert!(!self.other_gateway().has_ended(), "the other gateway has ended");
            operations.get("/readyz").try_send().await.ok().filter(|reply| reply.status == 200)
        })
        .await;
    }

    /// Its process.
    pub(crate) fn other_gateway(&self) -> &Process {
        self.processes.last().expect("it is the youngest")
    }

    /// Where it listens, `host:port`.
    pub(crate) fn other_edge_address(&self) -> String {
        format!("{}:8081", self.host)
    }
}
