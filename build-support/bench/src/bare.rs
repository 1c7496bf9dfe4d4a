//! What the platform is compared with: an HTTP server that does nothing, and password hashes that nobody
//! asked for over a network.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Failure;
use crate::cpu::{self, Reading};
use crate::load::Measured;

/// What a password's hash costs, here and in auth: 19 MiB, two passes.
pub const HASH_MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const HASH_PASSES: u32 = 2;

/// As long as what `GET /me` answers.
const BODY: Bytes = Bytes::from_static(&[b' '; 512]);

/// Answers every request alike, on a port that it prints, until it is killed.
pub async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Full::new(BODY)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

/// This program once more, as the server that does nothing; it ends with the value.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Its name among the programs.
    pub const PROGRAM: &str = "bench";

    /// Starts it.
    pub fn start() -> Result<Self, Failure> {
        let mut child =
            Command::new(std::env::current_exe()?).arg("--serve-bare").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { address: line.trim().parse()?, child })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Hashes on every core for this long, each thread in memory that it keeps.
pub fn hash_passwords(measured: Duration) -> Result<Measured, Failure> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, 1, None).map_err(|error| error.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let before = Reading::take()?;
    let until = Instant::now() + measured;
    let took: Result<Vec<Vec<Duration>>, Failure> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cpu::cores()).map(|_| scope.spawn(|| hash_until(&argon2, until))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread ended early")?).collect()
    });
    let after = Reading::take()?;
    let took = took?;
    Ok(Measured::of(took.len(), after.since(&before), took.concat()))
}

fn hash_until(argon2: &Argon2<'_>, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    let mut hash = [0; 32];
    let mut took = Vec::new();
    let mut now = Instant::now();
    while now < until {
        argon2
            .hash_password_into_with_memory(
                b"correct horse battery",
                b"0123456789abcdef",
                &mut hash,
                &mut memory,
            )
            .map_err(|error| error.to_string())?;
        took.push(now.elapsed());
        now = Instant::now();
    }
    Ok(took)
}
