//! What the platform stands on where it does not stand on its own: PostgreSQL, Redis, NATS, a mail relay.

use std::process::Command;
use std::sync::Arc;

use testkit::nats::Nats;
use testkit::postgres::Server;
use testkit::redis::Redis;
use testkit::smtp::Sink;
use testkit::{Database, postgres, program};

/// The back-ends of one world.
pub(crate) struct Backends {
    pub(crate) redis: Redis,
    pub(crate) sink: Arc<Sink>,
    pub(crate) nats: Nats,
    database: Database,
    server: Option<Server>,
}

impl Backends {
    /// A fresh database in the server that all tests share.
    pub(crate) async fn start() -> Backends {
        Backends::on(postgres::fresh_database(), None).await
    }

    /// A server of its own, to be stopped.
    pub(crate) async fn with_own_server() -> Backends {
        let server = Server::start();
        Backends::on(server.fresh_database(), Some(server)).await
    }

    async fn on(database: Database, server: Option<Server>) -> Backends {
        let sink = Arc::new(Sink::start().await);
        Backends { redis: Redis::start(), sink, nats: Nats::start(), database, server }
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("AUTH_DATABASE_URL", self.database.url.clone()),
            ("NOTIFY_DATABASE_URL", self.database.url.clone()),
            ("REDIS_URL", self.redis.url()),
            ("NATS_URL", self.nats.url()),
            ("SMTP_URL", self.sink.plain_url()),
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The server that belongs to this world alone.
    pub(crate) fn postgres(&mut self) -> &mut Server {
        self.server.as_mut().expect("this world has a server of its own")
    }

    /// What a query finds, a row a line.
    pub(crate) fn select(&self, query: &str) -> String {
        self.run("psql", &["-X", "-A", "-t", "-c", query])
    }

    /// Everything the database holds, as text.
    pub(crate) fn dump(&self) -> String {
        self.run("pg_dump", &[])
    }

    /// Every value in the store, its text only.
    pub(crate) fn redis_values(&self) -> String {
        let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                      all[#all + 1] = key .. ' ' .. tostring(redis.pcall('GET', key)) end \
                      return redis.status_reply(table.concat(all, ' '))";
        self.redis.command(&format!("EVAL \"{script}\" 0"))
    }

    fn run(&self, name: &str, arguments: &[&str]) -> String {
        let program = program::find(name).unwrap_or_else(|| panic!("`{name}` is not installed"));
        let output = Command::new(program).args(arguments).args(["-d", &self.database.url]).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
