//! Secrets are said to those they are meant for, and rest nowhere: a person does everything that needs one,
//! and then everything that was written down is searched.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::judge::Judge;
use crate::world::{ADMIN_PASSWORD, Person, Tokens, World};

const NEW: &str = "canary: something else entirely";
const GUESS: &str = "canary: a wrong guess";

everywhere!(with [("RUST_LOG", "debug,h2=info")]; secrets_rest_nowhere);

async fn secrets_rest_nowhere(world: &World) {
    let mut secrets = vec![ADMIN_PASSWORD.to_owned(), NEW.to_owned(), GUESS.to_owned()];
    let mut codes = Vec::new();
    let ana = Person { password: "canary: a long secret".into(), ..Person::named(world, "ana") };
    secrets.push(ana.password.clone());
    ana.register(&json!({})).await.is(202);
    let mail = ana.confirmation(world).await;
    codes.push(mail.code().unwrap().to_owned());
    let token = mail.token("/auth/verify-email").unwrap();
    secrets.push(second_half(token));
    ana.edge.get(&format!("/auth/verify-email?token={token}")).send().await.is(200);
    ana.edge.post("/auth/verify-email").json(json!({"token": token})).send().await.is(200);

    let _refused = ana.try_login(GUESS).await;
    let first = ana.login().await;
    let _in_the_wrong_place = ana.edge.get(&format!("/me?access_token={}", first.access)).send().await;
    let second = Tokens::of(ana.refresh(&first.refresh).await);
    let change = json!({"currentPassword": ana.password, "newPassword": NEW});
    let third = Tokens::of(ana.post("/auth/change-password", &second.access, &change).await);

    ana.edge.post("/auth/forgot-password").json(json!({"email": ana.email})).send().await.is(202);
    let mail = world.mails.arrives(&ana.email, "Reset your password").await;
    codes.push(mail.code().unwrap().to_owned());
    secrets.push(second_half(mail.token("/auth/reset-password").unwrap()));
    let proof = json!({"email": ana.email, "purpose": "forgot-password", "code": mail.code().unwrap()});
    let verified = ana.edge.post("/auth/otp/verify").json(proof).send().await.expect(200);
    let opened = verified.body["sessionToken"].as_str().unwrap();
    secrets.push(second_half(opened));
    let reset = json!({"token": opened, "newPassword": NEW});
    ana.edge.post("/auth/reset-password").json(reset).send().await.is(200);
    for tokens in [first, second, third] {
        secrets.push(tokens.access.rsplit('.').next().unwrap().to_owned());
        secrets.push(second_half(&tokens.refresh));
    }

    for (place, text) in &written_down(world).await {
        for secret in &secrets {
            assert!(!holds(text, secret), "{place} holds `{secret}`");
        }
        for code in &codes {
            assert!(!holds_word(text, code), "{place} holds the code {code}");
        }
    }
}

/// What must stay secret of `id.secret`.
fn second_half(token: &str) -> String {
    token.split_once('.').unwrap().1.to_owned()
}

/// Everything that the platform has written: logs, metrics, files, databases. Mails in the folder stand for
/// what a mail server took.
async fn written_down(world: &World) -> Vec<(String, Vec<u8>)> {
    // A search through nothing finds nothing: each place is known by what it should hold.
    let logs = world.logs();
    assert!(logs.contains("request answered"), "the logs are the story's");
    let mut written = vec![("a log".to_owned(), logs.into_bytes())];
    for service in ["gateway", "auth", "notify"] {
        let metrics = world.operations(service).get("/metrics").send().await.expect(200);
        written.push((format!("the metrics of {service}"), metrics.bytes.to_vec()));
    }
    files_below(&world.data_dir(), &mut written);
    if let Some(backends) = world.standing_on() {
        let dump = backends.dump();
        assert!(dump.contains("ana@example.org"), "the dump is the story's");
        written.push(("the database".to_owned(), dump.into_bytes()));
        let values = backends.redis_values();
        assert!(values.contains("access:"), "the store is the story's");
        written.push(("the store".to_owned(), values.into_bytes()));
    }
    written
}

fn files_below(folder: &Path, written: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            files_below(&path, written);
        } else if kind.is_file() && path.extension().is_none_or(|extension| extension != "eml") {
            written.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    }
}

fn holds(text: &[u8], secret: &str) -> bool {
    places(text, secret).next().is_some()
}

/// Six digits are easily part of something else: of an id, of a fraction of a second.
fn holds_word(text: &[u8], digits: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    places(text, digits).any(|at| {
        !is_part(at.checked_sub(1).and_then(|before| text.get(before)))
            && !is_part(text.get(at + digits.len()))
    })
}

fn places(text: &[u8], word: &str) -> impl Iterator<Item = usize> {
    text.windows(word.len())
        .enumerate()
        .filter(move |(_, window)| *window == word.as_bytes())
        .map(|(at, _)| at)
}
