//! A Redis server for one test: its process, and the few commands a fault needs; clients are the product's own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::{self, Process, Recipe};
use crate::program;

/// A Redis server on a free port that keeps nothing on disk; it ends with the value.
pub struct Redis(Process);

impl Redis {
    /// Starts a server.
    pub fn start() -> Redis {
        let program = program::needed("redis-server");
        let command = move |port: u16, folder: &std::path::Path| {
            let mut command = Command::new(&program);
            command
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .args(["--port", &port.to_string()])
                .current_dir(folder);
            command
        };
        let recipe = Recipe {
            name: "redis-server",
            ready: "Ready to accept connections",
            farewell: Signal::TERM,
            command: Box::new(command),
        };
        Redis(Process::start(recipe, process::folder()))
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.0.port())
    }

    /// Empties the store.
    pub fn flush(&self) {
        assert_eq!(self.command("FLUSHALL"), "+OK");
    }

    /// Sends one command line (`CONFIG SET maxmemory-policy allkeys-lru`) and gives the first line of the answer.
    pub fn command(&self, line: &str) -> String {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.0.port())).expect("redis-server takes connections");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out above zero is valid");
        write!(stream, "{line}\r\nQUIT\r\n").expect("redis-server reads a command");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("redis-server answers a command");
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Ends the server: connections are refused.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Starts the server again on the same port, empty.
    pub fn restart(&mut self) {
        self.0.start_again();
    }

    /// Freezes the server: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) {
        self.0.resume();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_forgets_on_flush_and_on_restart_and_keeps_its_address() {
        let mut redis = Redis::start();
        assert_eq!(redis.command("SET a 1"), "+OK");
        redis.flush();
        assert_eq!(redis.command("EXISTS a"), ":0");

        let url = redis.url();
        assert_eq!(redis.command("SET a 1"), "+OK");
        redis.stop();
        redis.restart();
        assert_eq!(redis.command("EXISTS a"), ":0");
        assert_eq!(redis.url(), url);
    }

    #[test]
    fn a_paused_server_answers_once_it_goes_on() {
        let redis = Redis::start();
        redis.pause();
        std::thread::scope(|scope| {
            let answer = scope.spawn(|| redis.command("PING"));
            redis.resume();
            assert_eq!(answer.join().unwrap(), "+PONG");
        });
    }
}
