//! PostgreSQL for tests: a server of one's own for faults, and a fresh database in the one all tests share.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, geteuid};

use crate::database::Database;
use crate::process::{self, Process, Recipe};
use crate::program;

/// The variable with the address of the server all tests share; its role may create databases.
pub const ADMIN_URL: &str = "TEST_POSTGRES_URL";

/// An empty database of its own in the server named by [`ADMIN_URL`]; it is dropped with the value.
#[expect(
    clippy::disallowed_methods,
    reason = "the test command hands the server's address over in the environment"
)]
pub fn fresh_database() -> Database {
    let admin = std::env::var(ADMIN_URL)
        .unwrap_or_else(|_| panic!("{ADMIN_URL} is not set: run the tests with `cargo xtask test`"));
    create(&admin)
}

/// A PostgreSQL server of its own on a free loopback port; it ends with the value.
///
/// Nothing is flushed to disk: it survives a kill, not a loss of power.
pub struct Server(Process);

impl Server {
    /// Makes a cluster and starts its server.
    pub fn start() -> Server {
        let folder = process::folder();
        if let Some((uid, gid)) = servant() {
            chown(folder.path(), Some(uid), Some(gid)).expect("root gives a folder away");
        }
        let made = as_servant("initdb", folder.path())
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg(folder.path().join("data"))
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let recipe = Recipe {
            name: "postgres",
            ready: "database system is ready to accept connections",
            farewell: Signal::QUIT,
            command: Box::new(|port, folder| {
                let mut command = as_servant("postgres", folder);
                command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
                for setting in [
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "max_connections=300",
                    "fsync=off",
                    "full_page_writes=off",
                ] {
                    command.args(["-c", setting]);
                }
                command
            }),
        };
        Server(Process::start(recipe, folder))
    }

    /// The address of the superuser's database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.0.port())
    }

    /// An empty database in this server.
    pub fn fresh_database(&self) -> Database {
        create(&self.url())
    }

    /// Ends the server: sessions break, connections are refused.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Kills the server and all its sessions where they stand.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts the server again on the same port with what it had committed.
    pub fn restart(&mut self) {
        self.0.start_again();
    }

    /// Freezes the server and its sessions: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) {
        self.0.resume();
    }
}

/// Creates a database; its name may be left over from a killed process whose number came round again.
fn create(admin: &str) -> Database {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let made = psql(admin)
        .args(["-c", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")])
        .args(["-c", &format!("CREATE DATABASE {name} TEMPLATE template0")])
        .output()
        .expect("psql can be run");
    assert!(made.status.success(), "no database made: {}", String::from_utf8_lossy(&made.stderr));
    let drop = {
        let (admin, name) = (admin.to_owned(), name.clone());
        // Nobody waits: a server that is gone took the database along.
        move || {
            let mut dropping = psql(&admin);
            dropping.args(["-c", &format!("DROP DATABASE {name} WITH (FORCE)")]);
            drop(dropping.stdout(Stdio::null()).stderr(Stdio::null()).spawn());
        }
    };
    Database::new(with_database(admin, &name), drop)
}

fn psql(url: &str) -> Command {
    let mut command = Command::new(program::needed("psql"));
    command
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url])
        .envs([("PGCONNECT_TIMEOUT", "10"), ("PGOPTIONS", "-c client_min_messages=error")])
        .stdin(Stdio::null());
    command
}

/// The address of another database in the same server.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, String::new()), |(a, q)| (a, format!("?{q}")));
    let host = address.trim_start_matches("postgres://").trim_start_matches("postgresql://");
    let host = host.split('/').next().unwrap_or_default();
    format!("postgres://{host}/{name}{query}")
}

/// PostgreSQL refuses root: there the package's own user runs it.
fn as_servant(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(program::needed(name));
    command.current_dir(folder);
    if let Some((uid, gid)) = servant() {
        command.uid(uid).gid(gid);
    }
    command
}

fn servant() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
    let entry = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = entry.expect("the package has made its user `postgres`").split(':').skip(2);
    let mut number = || fields.next()?.parse::<u32>().ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(url: &str, query: &str) -> Option<String> {
        let asked = psql(url).args(["-A", "-t", "-c", query]).output().unwrap();
        asked.status.success().then(|| String::from_utf8(asked.stdout).unwrap().trim().to_owned())
    }

    #[test]
    fn each_database_is_empty_and_what_was_committed_survives_a_kill() {
        let mut server = Server::start();
        let (one, two) = (server.fresh_database(), server.fresh_database());
        assert!(ask(&one.url, "CREATE TABLE kept (n int)").is_some());
        assert!(ask(&one.url, "INSERT INTO kept VALUES (7)").is_some());
        assert_eq!(ask(&two.url, "SELECT n FROM kept"), None);

        server.kill();
        assert_eq!(ask(&one.url, "SELECT n FROM kept"), None);
        server.restart();
        assert_eq!(ask(&one.url, "SELECT n FROM kept").as_deref(), Some("7"));
    }

    #[test]
    fn an_address_keeps_its_host_and_query_for_another_database() {
        assert_eq!(with_database("postgres://a:b@h:1/x", "y"), "postgres://a:b@h:1/y");
        assert_eq!(with_database("postgresql://h?sslmode=disable", "y"), "postgres://h/y?sslmode=disable");
    }
}
