//! Takes leave of all sockets when the process ends: each is told to reconnect, one after the other, so
//! that they do not arrive elsewhere as a herd.

use std::sync::Arc;
use std::time::Duration;

use super::Sockets;
use super::close::Close;

/// The longest that taking leave lasts.
const WINDOW: Duration = Duration::from_secs(3);
/// How often some are told.
const SLICE: Duration = Duration::from_millis(20);
/// At least so many at once: a few sockets are no herd.
const SLICE_SOCKETS_MIN: usize = 10;

impl Sockets {
    /// Waits for the end and closes what is open.
    pub(super) fn drain_at_end(self: &Arc<Self>) {
        let sockets = self.clone();
        self.lifecycle.spawn("socket drain", async move {
            sockets.lifecycle.requested().await;
            // In the order of a hash map, which is nobody's.
            let open = sockets.register.all();
            let slices = WINDOW.as_millis() / SLICE.as_millis();
            let in_a_slice = open.len().div_ceil(usize::try_from(slices).unwrap_or(1)).max(SLICE_SOCKETS_MIN);
            for slice in open.chunks(in_a_slice) {
                for socket in slice {
                    socket.outbox.close(Close::Draining);
                }
                tokio::time::sleep(SLICE).await;
            }
        });
    }
}
