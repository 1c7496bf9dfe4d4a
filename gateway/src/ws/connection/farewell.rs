//! How the edge takes leave of a client.

use futures::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::ws::close::Close;

/// How much of what a client still sends is read.
const BYTES_MAX: usize = 1024 * 1024;

/// Says why, and reads on for a while: a connection that is dropped while bytes are coming in is reset,
/// and the reason with it.
pub(super) async fn part(mut stream: WebSocketStream<TcpStream>, close: Close) {
    if stream.send(Message::Close(Some(close.frame()))).await.is_err() {
        return;
    }
    let tcp = stream.get_mut();
    // Where the client is gone there is nobody to take leave of.
    let _ = tcp.shutdown().await;
    let mut rest = vec![0; 4096];
    let mut read = 0;
    while let Ok(length @ 1..) = tcp.read(&mut rest).await {
        read += length;
        if read > BYTES_MAX {
            return;
        }
    }
}
