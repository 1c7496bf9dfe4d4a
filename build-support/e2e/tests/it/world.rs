//! The world of a story: the platform's processes, what they stand on, and the people who use it. All of
//! it ends with the value, and where the story failed the logs are shown.

mod backends;
mod eventually;
mod gateways;
mod mailbox;
mod person;
mod process;
mod settings;
mod socket;
mod visitor;
mod window;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use chassis::Clock;
use mesh::{Channel, Identity, SpiffeId, Upstream};
use tempfile::TempDir;
use testkit::http::Client;

pub(crate) use backends::Backends;
pub(crate) use eventually::eventually;
pub(crate) use mailbox::Mailbox;
pub(crate) use person::{Person, Tokens};
pub(crate) use process::Process;
pub(crate) use socket::{BROKEN, Socket};
pub(crate) use visitor::Visitor;
pub(crate) use window::Window;

/// Where links in mails lead, and who issues tokens: deliberately not where the edge listens.
pub(crate) const PUBLIC_URL: &str = "https://platform.example";
pub(crate) const ADMIN_EMAIL: &str = "admin@platform.example";
pub(crate) const ADMIN_PASSWORD: &str = "an administrator's own secret";

const READY: Duration = Duration::from_mins(1);
const SERVICES: [&str; 3] = ["auth", "notify", "gateway"];

/// The ways to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// One process on SQLite, memory and files: what `cargo run` starts.
    Embedded,
    /// One process on PostgreSQL, Redis, NATS and SMTP.
    OneProcess,
    /// A process a service on PostgreSQL, Redis, NATS and SMTP, with identities made beforehand.
    ThreeProcesses,
}

/// The platform, up and ready.
pub(crate) struct World {
    /// Somebody at the edge who is nobody in particular.
    pub(crate) edge: Visitor,
    /// Where mails arrive.
    pub(crate) mails: Mailbox,
    processes: Vec<Process>,
    backends: Option<Backends>,
    host: String,
    folder: TempDir,
}

impl World {
    /// A world with settings beside, or in the place of, those of every world.
    pub(crate) async fn with(stand: Stand, settings: &[(&str, &str)]) -> World {
        let backends = match stand {
            Stand::Embedded => None,
            Stand::OneProcess | Stand::ThreeProcesses => Some(Backends::start().await),
        };
        World::on(stand, backends, settings).await
    }

    /// Three processes on back-ends of their own, which a story may stop.
    pub(crate) async fn fragile(settings: &[(&str, &str)]) -> World {
        World::on(Stand::ThreeProcesses, Some(Backends::with_own_server().await), settings).await
    }

    async fn on(stand: Stand, backends: Option<Backends>, own: &[(&str, &str)]) -> World {
        let folder = tempfile::Builder::new().prefix("platform-e2e-").tempdir().unwrap();
        let host = own_host();
        let mails = match &backends {
            None => Mailbox::folder(folder.path().join("platform/mail")),
            Some(backends) => Mailbox::sink(backends.sink.clone()),
        };
        let edge = Visitor::new(Client::new(format!("http://{host}:8080")));
        let mut world = World { edge, mails, processes: Vec::new(), backends, host, folder };
        let settings = settings::of(&world, own);
        match stand {
            Stand::Embedded | Stand::OneProcess => world.launch("platform", &settings),
            Stand::ThreeProcesses => {
                world.ensure_identities(&SERVICES);
                for service in SERVICES {
                    let identity = world.mesh_dir().join(service).display().to_string();
                    world.launch(
                        service,
                        &[&settings[..], &[("MESH_CERT_DIR".to_owned(), identity)]].concat(),
                    );
                }
            }
        }
        world.is_ready().await;
        world
    }

    fn launch(&mut self, program: &'static str, settings: &[(String, String)]) {
        let log = self.folder.path().join(format!("{program}.log"));
        self.processes.push(Process::start(program, settings, log));
    }

    /// Waits until every service says that it is ready.
    pub(crate) async fn is_ready(&self) {
        for service in SERVICES {
            let operations = self.operations(service);
            eventually(&format!("{service} is ready"), READY, async || {
                for process in &self.processes {
                    assert!(!process.has_ended(), "`{}` has ended", process.name());
                }
                operations.get("/readyz").try_send().await.ok().filter(|reply| reply.status == 200)
            })
            .await;
        }
    }

    /// What a service tells its operators.
    pub(crate) fn operations(&self, service: &str) -> Client {
        let port = match service {
            "gateway" => 9080,
            "auth" => 9101,
            "notify" => 9102,
            other => panic!("no service is called `{other}`"),
        };
        Client::new(format!("http://{}:{port}", self.host))
    }

    /// The process in which a service runs.
    pub(crate) fn process_of(&self, service: &str) -> &Process {
        let runs_it = |process: &&Process| [service, "platform"].contains(&process.name());
        self.processes.iter().find(runs_it).expect("every service runs somewhere")
    }

    /// Everything the processes have said so far.
    pub(crate) fn logs(&self) -> String {
        self.processes.iter().map(Process::said).collect()
    }

    pub(crate) fn backends(&mut self) -> &mut Backends {
        self.backends.as_mut().expect("this world has back-ends")
    }

    /// The back-ends, in a world that has some.
    pub(crate) fn standing_on(&self) -> Option<&Backends> {
        self.backends.as_ref()
    }

    /// Waits until no event and no mail is under way.
    pub(crate) async fn is_drained(&self) {
        let backends = self.standing_on().expect("a database that can be asked");
        let open = "SELECT (SELECT count(*) FROM auth.job WHERE finished_at IS NULL) \
                    + (SELECT count(*) FROM notify.job WHERE finished_at IS NULL)";
        let look = async || (backends.select(open) == "0").then_some(());
        eventually("nothing is under way", Duration::from_secs(30), look).await;
    }

    /// What the processes keep on disk.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("platform")
    }

    /// Where the edge listens, `host:port`.
    pub(crate) fn edge_address(&self) -> String {
        format!("{}:8080", self.host)
    }

    /// Where a service listens for the mesh, `host:port`.
    pub(crate) fn mesh_address(&self, service: &str) -> String {
        let port = if service == "auth" { 7101 } else { 7102 };
        format!("{}:{port}", self.host)
    }

    /// A channel to a service as `member` of this very mesh.
    pub(crate) fn channel(&self, member: &str, service: &str) -> Channel {
        let upstream = Upstream {
            name: service.to_owned(),
            addresses: vec![self.mesh_address(service)],
            identity: SpiffeId::new(mesh::spiffe::DEFAULT_TRUST_DOMAIN, service).unwrap(),
        };
        self.ensure_identities(&[member]);
        Channel::new(Identity::open(self.identity_dir(member), Clock::system()).unwrap(), upstream)
    }

    /// The folder of an identity that this mesh's authority has made.
    pub(crate) fn identity_dir(&self, member: &str) -> PathBuf {
        self.ensure_identities(&[member]);
        self.mesh_dir().join(member)
    }

    fn ensure_identities(&self, members: &[&str]) {
        certs::dev::ensure(&self.mesh_dir(), members, &Clock::system()).unwrap();
    }

    fn mesh_dir(&self) -> PathBuf {
        self.data_dir().join("mesh")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for process in &self.processes {
            process.kill();
            if std::thread::panicking() {
                eprintln!("── {} said at last ──\n{}", process.name(), process.last_words());
            }
        }
    }
}

/// A loopback address of the world's own: its ports are known beforehand and nobody else's.
fn own_host() -> String {
    static WORLDS: AtomicU8 = AtomicU8::new(0);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    format!("127.{}.{high}.{low}", 10 + WORLDS.fetch_add(1, Ordering::Relaxed) % 200)
}
