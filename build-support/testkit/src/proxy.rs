//! A TCP proxy that plays the network's faults: cut, frozen, slow. What passes through it is not looked at.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::task::Task;

/// Stands before a server on a loopback port of its own; connections end with the value.
pub struct Proxy {
    address: SocketAddr,
    link: watch::Sender<Link>,
    _accepting: Task,
}

#[derive(Clone, Copy)]
struct Link {
    state: State,
    latency: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Cut,
    Frozen,
}

impl Proxy {
    /// Starts to pass connections on to `target` (`host:port`).
    pub async fn start(target: impl Into<String>) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (link, seen) = watch::channel(Link { state: State::Open, latency: Duration::ZERO });
        Proxy { address, link, _accepting: Task::start(accept(listener, target.into(), seen)) }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets everything pass again after [`cut`](Proxy::cut) or [`pause`](Proxy::pause).
    pub fn resume(&self) {
        self.link.send_modify(|link| link.state = State::Open);
    }

    /// Ends all connections, and every new one as soon as it is made.
    pub fn cut(&self) {
        self.link.send_modify(|link| link.state = State::Cut);
    }

    /// Holds everything back: connections are taken and stay open, and no byte passes.
    pub fn pause(&self) {
        self.link.send_modify(|link| link.state = State::Frozen);
    }

    /// Delays every chunk, each way; zero is no delay.
    pub fn delay(&self, latency: Duration) {
        self.link.send_modify(|link| link.latency = latency);
    }
}

async fn accept(listener: TcpListener, target: String, link: watch::Receiver<Link>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        connections.spawn(connect(client, target.clone(), link.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(client: TcpStream, target: String, mut link: watch::Receiver<Link>) {
    if !passable(&mut link).await {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a TCP socket can be told not to wait");
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(pump(from_client, to_server, link.clone()), pump(from_server, to_client, link));
}

/// Passes bytes one way until either end closes or the link is cut.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut link: watch::Receiver<Link>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mut cut = link.clone();
        let read = tokio::select! {
            _ = cut.wait_for(|link| link.state == State::Cut) => return,
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if !passable(&mut link).await {
            return;
        }
        let latency = link.borrow().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let passed = match read {
            0 => to.shutdown().await,
            _ => to.write_all(&buffer[..read]).await,
        };
        if read == 0 || passed.is_err() {
            return;
        }
    }
}

/// Waits while the link is frozen; false once it is cut.
async fn passable(link: &mut watch::Receiver<Link>) -> bool {
    let settled = link.wait_for(|link| link.state != State::Frozen).await;
    settled.is_ok_and(|link| link.state == State::Open)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> (SocketAddr, Task) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = Task::start(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await.ok();
                });
            }
        });
        (address, task)
    }

    #[tokio::test]
    async fn what_is_held_back_arrives_later_and_what_is_cut_never_does() {
        let (target, _echo) = echo().await;
        let proxy = Proxy::start(target.to_string()).await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let mut answer = [0; 4];

        client.write_all(b"ping").await.unwrap();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");

        proxy.pause();
        client.write_all(b"pong").await.unwrap();
        let held = tokio::time::timeout(Duration::from_millis(50), client.read_exact(&mut answer)).await;
        assert!(held.is_err(), "a frozen link passes nothing");
        proxy.resume();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"pong");

        proxy.cut();
        assert_eq!(client.read(&mut answer).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(refused.read(&mut answer).await.unwrap_or(0), 0);
    }
}
