//! Mesh identities for a test: a development authority in a folder of its own and a certificate per service.

use std::path::{Path, PathBuf};

use chassis::Clock;
use mesh::{Identity, SpiffeId};
use tempfile::TempDir;

use crate::process;

/// An authority and the identities it has made; the keys go with the value.
pub struct Mesh {
    folder: TempDir,
    clock: Clock,
}

impl Mesh {
    /// Identities for `services`, valid by the machine's clock.
    pub fn new(services: &[&str]) -> Mesh {
        Mesh::at(Clock::system(), services)
    }

    /// Identities for `services`, valid by `clock`.
    pub fn at(clock: Clock, services: &[&str]) -> Mesh {
        let mesh = Mesh { folder: process::folder(), clock };
        mesh.ensure(services);
        mesh
    }

    /// Sees to it that each of `services` has an identity with half of its life left: a later call renews.
    pub fn ensure(&self, services: &[&str]) {
        certs::dev::ensure(self.dir(), services, &self.clock).expect("development identities can be made");
    }

    /// The folder that holds the authority and a folder per service, as `certs --dir` takes it.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of one service, as `MESH_CERT_DIR` takes it.
    pub fn service_dir(&self, service: &str) -> PathBuf {
        self.dir().join(service)
    }

    /// The identity of one service, opened.
    pub fn identity(&self, service: &str) -> Identity {
        Identity::open(self.service_dir(service), self.clock.clone()).expect("a new identity can be used")
    }

    /// The name of a service under this authority, whether it has an identity or not.
    pub fn spiffe_id(&self, service: &str) -> SpiffeId {
        SpiffeId::new(mesh::spiffe::DEFAULT_TRUST_DOMAIN, service).expect("a test names its services well")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_an_identity_of_its_own_name() {
        let mesh = Mesh::new(&["auth", "gateway"]);
        assert_eq!(mesh.identity("auth").id(), mesh.spiffe_id("auth"));
        assert_ne!(mesh.identity("gateway").id(), mesh.identity("auth").id());
    }
}
