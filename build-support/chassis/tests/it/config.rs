//! Where settings come from, and how faults are told.

use std::net::SocketAddr;
use std::time::Duration;

use chassis::config::{DEFAULTS, Source};
use secrecy::{ExposeSecret as _, SecretString};

const OURS: &str = r#"# Settings of the test.

# How long.
test_wait = "5s"

# How many,
# at most.
test_count = 3

# Where to listen.
test_listen = "127.0.0.1:80"

# What nobody may know.
test_secret = ""
"#;

fn source(pairs: &[(&str, &str)]) -> Source {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Source::from_pairs(&[DEFAULTS, OURS], pairs).unwrap()
}

fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().display().to_string();
    (file, path)
}

#[test]
fn the_environment_beats_the_file_and_the_file_beats_the_defaults() {
    let (_file, path) = file("test_wait = \"15m\"\ntest_count = 7\n");
    let mut source = source(&[("PLATFORM_CONFIG", &path), ("TEST_COUNT", "9")]);
    assert_eq!(source.value::<u32>("TEST_COUNT"), 9);
    assert_eq!(source.value::<Duration>("TEST_WAIT"), Duration::from_mins(15));
    assert_eq!(source.value::<SocketAddr>("TEST_LISTEN").port(), 80);
    source.finish().unwrap();
}

#[test]
fn every_fault_is_told_at_once_with_what_is_expected() {
    let (_file, path) = file("test_cuont = 7\n");
    let mut source = source(&[
        ("PLATFORM_CONFIG", &path),
        ("TEST_WAIT", "soon"),
        ("TEST_COUNT", "-1"),
        ("TEST_LISTEN", "here"),
    ]);
    source.value::<Duration>("TEST_WAIT");
    source.value::<u16>("TEST_COUNT");
    source.value::<SocketAddr>("TEST_LISTEN");
    source.value::<SecretString>("TEST_SECRET");
    source.value::<String>("TEST_UNHEARD_OF");
    let faults = source.finish().unwrap_err().to_string();
    insta::assert_snapshot!(faults, @r"
    TEST_CUONT: is no setting of this program, expected one from its manual
    TEST_WAIT: `soon` is no duration, expected such as 250ms, 5s, 15m, 2h, 14d or plain seconds
    TEST_COUNT: `-1` is not expected, a whole number from 0 to 65535 is
    TEST_LISTEN: `here` is no address, expected such as 127.0.0.1:8080 or [::1]:8080
    TEST_SECRET: is missing, expected a value
    TEST_UNHEARD_OF: no default file of this program documents it
    ");
}

#[test]
fn a_secret_is_read_from_its_file_without_the_editors_line_break() {
    let (_file, path) = file("hush \n");
    let mut from_file = source(&[("TEST_SECRET_FILE", &path)]);
    assert_eq!(from_file.value::<SecretString>("TEST_SECRET").expose_secret(), "hush ");
    from_file.finish().unwrap();

    let mut both = source(&[("TEST_SECRET_FILE", &path), ("TEST_SECRET", "x")]);
    both.value::<SecretString>("TEST_SECRET");
    assert!(both.finish().unwrap_err().to_string().contains("TEST_SECRET_FILE"));
}

#[test]
fn only_secrets_are_read_from_files() {
    let (_file, path) = file("9");
    let mut source = source(&[("TEST_COUNT_FILE", &path)]);
    assert_eq!(source.value::<u32>("TEST_COUNT"), 3);
}

#[test]
fn an_empty_value_is_none_and_a_list_is_comma_separated() {
    let mut source = source(&[("TEST_LISTEN", "127.0.0.1:1, 127.0.0.1:2,")]);
    assert!(source.value::<Option<SecretString>>("TEST_SECRET").is_none());
    assert_eq!(source.value::<Vec<SocketAddr>>("TEST_LISTEN").len(), 2);
    source.finish().unwrap();
}

#[test]
fn an_unreadable_file_stops_the_reading() {
    let pairs = [("PLATFORM_CONFIG".to_owned(), "/nowhere.toml".to_owned())];
    let faults = Source::from_pairs(&[DEFAULTS], pairs).err().unwrap();
    assert!(faults.to_string().starts_with("PLATFORM_CONFIG: `/nowhere.toml` cannot be read"));
}

#[test]
fn the_default_files_are_the_manual() {
    let source = source(&[]);
    let entry = source.manual().iter().find(|entry| entry.name == "TEST_COUNT").unwrap();
    assert_eq!(entry.default, "3");
    assert_eq!(entry.comment, "How many, at most.");
    assert_eq!(entry.chapter, "Settings of the test.");
    assert!(source.manual().iter().any(|entry| entry.name == "REDIS_URL" && entry.default == "memory:"));
}

#[test]
fn a_default_without_a_comment_is_refused() {
    let faults = Source::from_pairs(&["# Settings.\n\nbare = 1\n"], []).err().unwrap();
    assert!(faults.to_string().starts_with("BARE: "));
}
