//! A NATS server with JetStream for one test; clients are the product's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::process::{self, Process, Recipe};
use crate::program;

/// A NATS server on a free port with JetStream in a folder of its own; it ends with the value.
pub struct Nats(Process);

impl Nats {
    /// Starts a server.
    pub fn start() -> Nats {
        let program = program::needed("nats-server");
        let command = move |port: u16, folder: &Path| {
            let mut command = Command::new(&program);
            command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string()]);
            command.arg("--store_dir").arg(folder);
            command
        };
        let recipe = Recipe {
            name: "nats-server",
            ready: "Server is ready",
            farewell: Signal::TERM,
            command: Box::new(command),
        };
        Nats(Process::start(recipe, process::folder()))
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.0.port())
    }

    /// Ends the server: connections are refused.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Starts the server again on the same port; what JetStream had on disk is there again.
    pub fn restart(&mut self) {
        self.0.start_again();
    }

    /// Starts the server again on the same port with all that it stored gone.
    pub fn restart_empty(&mut self) {
        self.0.stop();
        let stored = self.0.folder().join("jetstream");
        if stored.exists() {
            fs::remove_dir_all(stored).expect("the server's folder can be emptied");
        }
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
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_server_greets_with_jetstream_before_and_after_a_restart() {
        let mut nats = Nats::start();
        for _ in 0..2 {
            let address = nats.url().replace("nats://", "");
            let mut greeting = String::new();
            BufReader::new(TcpStream::connect(address).unwrap()).read_line(&mut greeting).unwrap();
            assert!(greeting.starts_with("INFO ") && greeting.contains("\"jetstream\":true"), "{greeting}");
            nats.restart();
        }
    }
}
