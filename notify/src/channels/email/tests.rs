//! A mail in its form, and whatever would break it.

use super::*;

fn sender(text: &str) -> Sender {
    use chassis::config::Setting as _;
    Sender::new(MailFrom::parse(text).unwrap())
}

fn message(subject: &str) -> Message {
    Message {
        subject: subject.to_owned(),
        text: "Xin chào,\n\n123456\n".to_owned(),
        html: "<p>Xin chào</p>".to_owned(),
    }
}

fn compose(address: &str, subject: &str) -> Result<String, Failure> {
    let now = "2026-11-20T15:42:07Z".parse().unwrap();
    let from = sender("Platform <no-reply@example.org>");
    let mail = Mail::compose(Uuid::from_u128(7), &from, address, &message(subject), now)?;
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("no-reply@example.org", address));
    Ok(String::from_utf8(mail.bytes).unwrap())
}

#[test]
fn a_mail_has_both_parts_and_says_who_made_it_and_when() {
    let mail = testkit::mail::Mail::parse(compose("ana@example.org", "Chào mừng").unwrap().as_bytes());
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("no-reply@example.org", "ana@example.org"));
    assert_eq!((mail.subject.as_str(), mail.code()), ("Chào mừng", Some("123456")));
    assert_eq!(mail.html.trim(), "<p>Xin chào</p>");
    assert_eq!(mail.message_id, "00000000-0000-0000-0000-000000000007@example.org");
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(mail.header("Date"), Some("Fri, 20 Nov 2026 15:42:07 +0000"));
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
}

#[test]
fn nothing_smuggles_a_header_in() {
    let mail = compose("ana@example.org", "Hello\r\nBcc: eve@example.org").unwrap();
    assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    for address in
        ["ana@example.org\r\nBcc: eve@example.org", "ana@example.org>\r\nRCPT TO:<eve@example.org", "ana"]
    {
        assert!(matches!(compose(address, "Hello"), Err(Failure::BadAddress(_))), "{address}");
    }
}

#[test]
fn a_sender_without_a_name_is_called_by_its_domain() {
    assert_eq!(sender("no-reply@example.org").brand(), "example.org");
    assert_eq!(sender("Platform <no-reply@example.org>").brand(), "Platform");
}
