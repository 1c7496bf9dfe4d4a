//! The other end of an accepted connection, judged again whenever what we trust has changed: an open
//! connection must not outlive its certificate or its authority.

use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;

use crate::identity::unix_time;
use crate::{Identity, MeshError, SpiffeId, Svid};

pub(super) struct Peer {
    svid: Svid,
    chain: Vec<CertificateDer<'static>>,
    /// The generation of our identity under which the chain was last found good.
    judged_under: AtomicU64,
    distrusted: CancellationToken,
}

impl Peer {
    /// A peer whose chain the hand-shake has verified under `generation`.
    pub(super) fn new(chain: &[CertificateDer<'static>], generation: u64) -> Result<Self, MeshError> {
        let leaf = chain.first().ok_or_else(|| MeshError::Svid("no certificate".to_owned()))?;
        Ok(Self {
            svid: Svid::parse(leaf)?,
            chain: chain.to_vec(),
            judged_under: AtomicU64::new(generation),
            distrusted: CancellationToken::new(),
        })
    }

    pub(super) fn id(&self) -> &SpiffeId {
        &self.svid.id
    }

    /// Ends the connection once a call found that the peer is trusted no more.
    pub(super) fn distrusted(&self) -> CancellationToken {
        self.distrusted.clone()
    }

    /// Whether the peer may still call.
    pub(super) fn is_trusted(&self, identity: &Identity) -> bool {
        let alive = identity.clock().now() < self.svid.not_after;
        let trusted = alive && self.is_under_current_roots(identity);
        if !trusted && !self.distrusted.is_cancelled() {
            metrics::counter!("platform_mesh_peers_distrusted_total").increment(1);
            tracing::warn!(peer = %self.svid.id, serial = %self.svid.serial, alive, "the peer of an open connection is trusted no more");
            self.distrusted.cancel();
        }
        trusted
    }

    fn is_under_current_roots(&self, identity: &Identity) -> bool {
        if self.judged_under.load(Ordering::Relaxed) == identity.generation() {
            return true;
        }
        let generation = identity.current();
        let now = unix_time(identity.clock().now());
        let Some((leaf, intermediates)) = self.chain.split_first() else { return false };
        let trusted = generation.trust.judge(leaf, intermediates, now).is_ok();
        if trusted {
            self.judged_under.store(generation.number, Ordering::Relaxed);
        }
        trusted
    }
}
