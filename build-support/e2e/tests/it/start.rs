//! The start: what `cargo run` shows, and what a wrong setting does.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use testkit::http::Client;

use crate::judge::Judge;
use crate::world::{Process, eventually};

const SOON: Duration = Duration::from_secs(30);
const LISTENERS: [&str; 6] = [
    "GATEWAY_LISTEN",
    "GATEWAY_OPS_LISTEN",
    "AUTH_LISTEN",
    "AUTH_OPS_LISTEN",
    "NOTIFY_LISTEN",
    "NOTIFY_OPS_LISTEN",
];

#[tokio::test]
async fn the_platform_says_where_it_is_and_who_may_come_in_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let listeners = LISTENERS.map(|name| (name, "127.0.0.1:0"));
    let platform = start("platform", &folder, &[&listeners[..], &[("PLATFORM_DATA_DIR", &data)]].concat());

    let gateway = line(&platform, "gateway http://").await;
    for service in ["gateway", "auth", "notify"] {
        let operations = Client::new(format!(
            "http://{}",
            line(&platform, &format!("{service} operations http://")).await
        ));
        eventually("the service is ready", SOON, async || {
            operations.get("/readyz").try_send().await.ok().filter(|reply| reply.status == 200)
        })
        .await;
        operations.get("/livez").send().await.is(200);
    }
    for service in ["auth", "notify"] {
        assert!(line(&platform, &format!("{service} grpc ")).await.starts_with("127.0.0.1:"));
    }
    let administrator = line(&platform, "first administrator: admin@localhost (password, shown once: ").await;
    let password = administrator.trim_end_matches(')');
    let client = Client::new(format!("http://{gateway}"));
    let login = json!({"email": "admin@localhost", "password": password});
    client.post("/auth/login").json(login).send().await.is(200);

    platform.terminate();
    let status = platform.ends(SOON).await;
    assert!(status.success(), "{status}: {}", platform.last_words());
    platform.start_again();
    eventually("it starts again", SOON, async || {
        (platform.said().matches("gateway http://").count() == 2).then_some(())
    })
    .await;
    assert_eq!(platform.said().matches("first administrator").count(), 1, "it is shown once");
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_and_every_fault_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [("GATEWAY_LISTEN", "here"), ("SESSION_LIMIT", "many"), ("MAIL_FROM", "nobody")];
    let platform = start("platform", &folder, &wrong);
    assert_eq!(platform.ends(SOON).await.code(), Some(2));
    for (name, _) in wrong {
        assert!(platform.said().contains(name), "{}", platform.said());
    }
    for service in ["auth", "gateway"] {
        let alone = start(service, &folder, &[]);
        assert_eq!(alone.ends(SOON).await.code(), Some(2), "memory: is nothing that processes share");
        assert!(alone.said().contains("REDIS_URL"), "{}", alone.said());
    }
}

fn start(program: &'static str, folder: &TempDir, settings: &[(&str, &str)]) -> Process {
    let settings: Vec<(String, String)> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Process::start(program, &settings, folder.path().join(format!("{program}.log")))
}

/// The rest of the line that begins like this.
async fn line(process: &Process, beginning: &str) -> String {
    eventually(&format!("a line `{beginning}…`"), SOON, async || {
        assert!(!process.has_ended(), "{}", process.last_words());
        process.said().lines().find_map(|line| line.strip_prefix(beginning).map(str::to_owned))
    })
    .await
}
