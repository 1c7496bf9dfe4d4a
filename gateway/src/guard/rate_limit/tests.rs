//! Limits charged, given back and told.

use chrono::DateTime;
use proto::edge::{Access, Policy, RateKey, RateLimit};

use super::*;

const LOGIN: &str = "platform.auth.v1.LoginRequest";

fn limit(name: &str, keys: &[RateKey], field: &str, count: i32) -> RateLimit {
    RateLimit {
        name: name.to_owned(),
        keys: keys.iter().map(|key| i32::from(*key)).collect(),
        field: field.to_owned(),
        limit: count,
        window_seconds: 60,
        failures_only: false,
    }
}

fn compile(limits: Vec<RateLimit>) -> Result<Limits, String> {
    let policy = Policy { access: Access::Public.into(), rate_limits: limits, ..Policy::default() };
    Limits::compile(&policy, &proto::pool().get_message_by_name(LOGIN).unwrap())
}

fn login(email: &str) -> prost_reflect::DynamicMessage {
    let mut message = prost_reflect::DynamicMessage::new(proto::pool().get_message_by_name(LOGIN).unwrap());
    message.set_field_by_name("email", prost_reflect::Value::String(email.to_owned()));
    message
}

fn world() -> (Limiter, Clock) {
    let clock = Clock::manual(DateTime::UNIX_EPOCH);
    (Limiter::new(Kv::memory(clock.clone()), clock.clone()), clock)
}

async fn ask(limiter: &Limiter, limits: &Limits, stage: Stage, subject: Subject<'_>) -> (bool, HeaderMap) {
    let mut tally = Tally::new(limits);
    let allowed = limiter.check(limits.at(stage), &subject, &mut tally).await.is_ok();
    let mut headers = HeaderMap::new();
    tally.write(&mut headers);
    (allowed, headers)
}

fn from(ip: &str) -> Subject<'static> {
    Subject { ip: ip.parse().unwrap(), tenant: None, caller: None, message: None }
}

#[tokio::test]
async fn a_limit_lets_its_number_through_and_says_what_is_left() {
    let limits = compile(vec![limit("login", &[RateKey::Ip], "", 2)]).unwrap();
    let (limiter, _) = world();
    let (allowed, headers) = ask(&limiter, &limits, Stage::Address, from("192.0.2.1")).await;
    assert!(allowed);
    assert_eq!(headers["ratelimit"], "\"login\";r=1;t=30");
    assert_eq!(headers["ratelimit-policy"], "\"login\";q=2;w=60");
    assert!(ask(&limiter, &limits, Stage::Address, from("192.0.2.1")).await.0);
    let (allowed, headers) = ask(&limiter, &limits, Stage::Address, from("192.0.2.1")).await;
    assert!(!allowed);
    assert_eq!(headers["ratelimit"], "\"login\";r=0;t=30");
    assert!(ask(&limiter, &limits, Stage::Address, from("192.0.2.2")).await.0, "another address has its own");
}

#[tokio::test]
async fn a_whole_ipv6_network_shares_a_bucket() {
    let limits = compile(vec![limit("login", &[RateKey::Ip], "", 1)]).unwrap();
    let (limiter, _) = world();
    assert!(ask(&limiter, &limits, Stage::Address, from("2001:db8:0:1::1")).await.0);
    assert!(!ask(&limiter, &limits, Stage::Address, from("2001:db8:0:1:ffff::2")).await.0);
    assert!(ask(&limiter, &limits, Stage::Address, from("2001:db8:0:2::1")).await.0);
}

#[tokio::test]
async fn one_address_under_many_spellings_is_counted_once() {
    let limits = compile(vec![limit("email", &[RateKey::Field], "email", 1)]).unwrap();
    let (limiter, _) = world();
    for (email, expected) in
        [("Ana@Example.org", true), (" ana@example.ORG", false), ("bo@example.org", true)]
    {
        let message = login(email);
        let subject = Subject { message: Some(&message), ..from("192.0.2.1") };
        assert_eq!(ask(&limiter, &limits, Stage::Content, subject).await.0, expected, "{email}");
    }
    let message = login("");
    let subject = Subject { message: Some(&message), ..from("192.0.2.1") };
    assert!(ask(&limiter, &limits, Stage::Content, subject).await.0, "without the field nothing is counted");
}

fn wrong(keys: &[RateKey], field: &str, count: i32) -> RateLimit {
    RateLimit { failures_only: true, ..limit(&format!("wrong-{}", keys.len()), keys, field, count) }
}

#[tokio::test]
async fn only_failures_are_charged_where_the_contract_says_so() {
    let limits = compile(vec![wrong(&[RateKey::Ip], "", 1)]).unwrap();
    let (limiter, _) = world();
    for _ in 0..3 {
        let mut right = Tally::new(&limits);
        limiter.check(limits.at(Stage::Address), &from("192.0.2.1"), &mut right).await.unwrap();
        limiter.give_back(right).await;
    }
    assert!(
        ask(&limiter, &limits, Stage::Address, from("192.0.2.1")).await.0,
        "a failure is let through once"
    );
    assert!(!ask(&limiter, &limits, Stage::Address, from("192.0.2.1")).await.0);
}

#[tokio::test]
async fn tries_under_way_have_taken_their_place_and_every_bucket_counts_each_of_them() {
    let by_network = wrong(&[RateKey::Field, RateKey::Ip], "email", 2);
    let limits = compile(vec![by_network, wrong(&[RateKey::Field], "email", 3)]).unwrap();
    let (limiter, _) = world();
    let message = login("ana@example.org");
    let mut tried = Vec::new();
    for ip in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"] {
        let subject = Subject { message: Some(&message), ..from(ip) };
        tried.push(ask(&limiter, &limits, Stage::Content, subject).await.0);
    }
    assert_eq!(tried, [true, true, false, true, false], "2 of a network, 3 of an account");
}

#[tokio::test]
async fn what_was_counted_here_is_given_back_here() {
    let nowhere = Kv::connect(&"redis://127.0.0.1:1".to_owned().into()).await.unwrap();
    let limiter = Limiter::new(nowhere, Clock::manual(DateTime::UNIX_EPOCH));
    let limits = compile(vec![wrong(&[RateKey::Ip], "", 2)]).unwrap();
    for _ in 0..3 {
        let mut right = Tally::new(&limits);
        limiter.check(limits.at(Stage::Address), &from("192.0.2.1"), &mut right).await.unwrap();
        limiter.give_back(right).await;
    }
}

#[tokio::test]
async fn a_field_is_counted_within_its_tenant() {
    let limits = compile(vec![limit("email", &[RateKey::Field], "email", 1)]).unwrap();
    let (limiter, _) = world();
    let (message, acme) = (login("ana@example.org"), HeaderValue::from_static("acme"));
    for (tenant, expected) in [(Some(&acme), true), (Some(&acme), false), (None, true), (None, false)] {
        let subject = Subject { message: Some(&message), tenant, ..from("192.0.2.1") };
        assert_eq!(ask(&limiter, &limits, Stage::Content, subject).await.0, expected, "{tenant:?}");
    }
}

#[test]
fn limits_that_could_never_count_are_refused() {
    for (declared, complaint) in [
        (limit("a", &[], "", 1), "what it counts by"),
        (limit("", &[RateKey::Ip], "", 1), "no plain name"),
        (limit("a", &[RateKey::Ip], "", 0), "not positive"),
        (limit("a", &[RateKey::Field], "", 1), "names a field"),
        (limit("a", &[RateKey::Ip], "email", 1), "names a field"),
        (limit("a", &[RateKey::Field], "nobody", 1), "no field"),
        (limit("a", &[RateKey::Field], "device_type", 1), "no text"),
        (limit("a", &[RateKey::Caller], "", 1), "public method"),
    ] {
        let refused = compile(vec![declared]).unwrap_err();
        assert!(refused.contains(complaint), "{refused}");
    }
}
