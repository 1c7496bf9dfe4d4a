//! Every mail in both languages, as a reader gets it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::*;

fn happened_at() -> DateTime<Utc> {
    "2026-11-20T15:42:07Z".parse().unwrap()
}

fn secrets() -> Secrets {
    Secrets { token: "sel.Ve-r_if".into(), code: Some("123456".into()), expires_in: 86_390 }
}

fn facts() -> Map<String, Value> {
    let facts = json!({ "ip": "203.0.113.7", "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0" });
    facts.as_object().unwrap().clone()
}

fn speech<'a>(locale: &'a str, data: &'a Map<String, Value>, secrets: Option<&'a Secrets>) -> Speech<'a> {
    Speech {
        locale,
        name: Some("Ánh"),
        brand: "Platform",
        public_url: "https://example.org",
        occurred_at: happened_at(),
        data,
        secrets,
    }
}

const TYPES: [&str; 7] = [
    "auth.password-changed",
    "auth.password-reset-requested",
    "auth.session-limit-reached",
    "security.token-reused",
    "user.register-repeated",
    "user.registered",
    "user.verified",
];

#[test]
fn every_mail_reads_well_in_both_languages() {
    let templates = Templates::built_in().unwrap();
    let (facts, secrets) = (facts(), secrets());
    for event_type in TYPES {
        for locale in ["en", "vi"] {
            let mail = templates.mail(event_type, &speech(locale, &facts, Some(&secrets))).unwrap();
            let reading = format!("{}\n\n{}\n{}", mail.subject, mail.text, body(&mail.html));
            insta::assert_snapshot!(format!("{event_type}.{locale}"), reading);
        }
    }
}

/// The layout around it is the same everywhere and stands in a snapshot of its own.
fn body(html: &str) -> &str {
    let (_, body) = html.split_once("<main>").unwrap();
    body.split_once("</main>").unwrap().0
}

#[test]
fn the_page_around_a_mail_needs_nothing_from_afar() {
    let templates = Templates::built_in().unwrap();
    let mail = templates.mail("user.verified", &speech("vi", &Map::new(), None)).unwrap();
    for remote in ["<img", "<script", "<link", "url(", "@import", "src="] {
        assert!(!mail.html.contains(remote), "{remote}");
    }
    insta::assert_snapshot!("layout", mail.html);
}

#[test]
fn a_mail_is_made_without_any_of_the_optional_facts() {
    let templates = Templates::built_in().unwrap();
    let secrets = Secrets { code: None, ..secrets() };
    for event_type in TYPES {
        for locale in ["en", "vi"] {
            let data = Map::new();
            let speech = Speech { name: None, ..speech(locale, &data, Some(&secrets)) };
            let mail = templates.mail(event_type, &speech).unwrap();
            assert!(!mail.text.contains("123456"));
            assert!(!mail.text.contains("none") && !mail.html.contains("none,"), "{}", mail.text);
        }
    }
}

#[test]
fn a_language_nobody_wrote_falls_back() {
    let templates = Templates::built_in().unwrap();
    let data = Map::new();
    let subject = |locale| templates.mail("user.verified", &speech(locale, &data, None)).unwrap().subject;
    assert_eq!(subject("vi-VN"), "Chào mừng bạn đến với Platform");
    assert_eq!(subject("fr-CA"), "Welcome to Platform");
    assert_eq!(subject("../../etc"), "Welcome to Platform");
}

#[test]
fn a_link_carries_its_token_and_the_code_stands_alone_on_its_line() {
    let templates = Templates::built_in().unwrap();
    let (data, secrets) = (Map::new(), secrets());
    for locale in ["en", "vi"] {
        let mail = templates.mail("user.registered", &speech(locale, &data, Some(&secrets))).unwrap();
        let lines: Vec<&str> = mail.text.lines().collect();
        assert!(lines.contains(&"https://example.org/auth/verify-email?token=sel.Ve-r_if"), "{}", mail.text);
        assert!(lines.contains(&"123456"), "{}", mail.text);
        let reset =
            templates.mail("auth.password-reset-requested", &speech(locale, &data, Some(&secrets))).unwrap();
        assert!(
            reset.text.contains("https://example.org/auth/reset-password?token=sel.Ve-r_if"),
            "{}",
            reset.text
        );
    }
}

#[test]
fn a_mail_that_lacks_what_it_speaks_of_is_not_made() {
    let templates = Templates::built_in().unwrap();
    let data = Map::new();
    let broken = templates.mail("user.registered", &speech("en", &data, None)).err().unwrap().to_string();
    assert!(broken.contains("user.registered/en.txt") && broken.contains("undefined"), "{broken}");
    let missing = templates.mail("order.shipped", &speech("en", &data, None)).err().unwrap();
    assert!(matches!(missing, TemplateError::Missing(_)));
    assert!(templates.channels("order.shipped").is_empty());
}

#[test]
fn markup_is_escaped_in_html_and_nowhere_else_and_a_subject_is_one_line() {
    let templates = Templates::built_in().unwrap();
    let data = Map::new();
    let speech = Speech { brand: "R&D <b>\r\nBcc: x", ..speech("en", &data, None) };
    let mail = templates.mail("user.verified", &speech).unwrap();
    assert_eq!(mail.subject, "Welcome to R&D <b> Bcc: x");
    assert!(mail.text.contains("R&D <b>"));
    assert!(mail.html.contains("R&amp;D &lt;b&gt;") && !mail.html.contains("<b>"));
}

#[test]
fn a_link_leads_to_the_web_and_cannot_leave_its_attribute() {
    let templates = Templates::built_in().unwrap();
    let (data, secrets) = (Map::new(), secrets());
    let to = |public_url| Speech { public_url, ..speech("en", &data, Some(&secrets)) };
    let mail = templates.mail("user.registered", &to("https://example.org/\"><b>")).unwrap();
    assert!(mail.html.contains("href=\"https://example.org/&quot;&gt;&lt;b&gt;/auth"), "{}", mail.html);
    assert!(templates.mail("user.registered", &to("javascript:alert(1)")).is_err());
}

#[test]
fn what_a_stranger_sends_is_not_quoted() {
    let templates = Templates::built_in().unwrap();
    let data = json!({ "ip": "http://evil.example", "userAgent": "buy at evil.example", "at": "now!" });
    let mail =
        templates.mail("user.register-repeated", &speech("en", data.as_object().unwrap(), None)).unwrap();
    assert!(!mail.text.contains("evil.example"));
    assert!(mail.text.contains("When and where: 2026-11-20 15:42 UTC\n"), "{}", mail.text);
}

#[test]
fn every_note_reads_well_in_both_languages_and_links_are_for_mails_only() {
    let templates = Templates::built_in().unwrap();
    let facts = facts();
    let mut reading = String::new();
    for event_type in TYPES.into_iter().filter(|event_type| templates.has_note(event_type)) {
        for locale in ["en", "vi"] {
            let note = templates.note(event_type, &speech(locale, &facts, None)).unwrap();
            reading.extend([event_type, " ", locale, "\n", &note.title, "\n", &note.body, "\n\n"]);
        }
    }
    insta::assert_snapshot!("notes", reading);
    for mail_only in ["user.registered", "user.register-repeated", "auth.password-reset-requested"] {
        assert!(!templates.has_note(mail_only), "{mail_only}");
    }
}
