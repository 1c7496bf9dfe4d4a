//! The files that mails are made of. `mails/{type}/{locale}.mail` holds the subject, the plain part and
//! the HTML part beside each other, so that they are changed together; the layouts around them are
//! shared, and what every mail says in a language stands in `words.{locale}`.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};

macro_rules! mails {
    ($($event_type:literal $locale:literal),* $(,)?) => {
        &[$(($event_type, $locale, include_str!(concat!("mails/", $event_type, "/", $locale, ".mail")))),*]
    };
}

/// Type, language, source.
const MAILS: &[(&str, &str, &str)] = mails![
    "auth.password-changed" "en",
    "auth.password-changed" "vi",
    "auth.password-reset-requested" "en",
    "auth.password-reset-requested" "vi",
    "auth.session-limit-reached" "en",
    "auth.session-limit-reached" "vi",
    "security.token-reused" "en",
    "security.token-reused" "vi",
    "user.register-repeated" "en",
    "user.register-repeated" "vi",
    "user.registered" "en",
    "user.registered" "vi",
    "user.verified" "en",
    "user.verified" "vi",
];

const SHARED: &[(&str, &str)] = &[
    ("layout.html", include_str!("layout.html")),
    ("layout.txt", include_str!("layout.txt")),
    ("parts.html", include_str!("parts.html")),
    ("words/en", include_str!("words.en")),
    ("words/vi", include_str!("words.vi")),
];

/// What stands around a part, so that its file holds nothing but its words.
const WORDS: &str = "{% import 'words/' ~ locale as words %}";
const PARTS: &str = "{% import 'parts.html' as parts %}";

/// The names of a mail's three templates; whether markup is escaped goes by their endings.
pub(super) fn subject(event_type: &str, locale: &str) -> String {
    format!("{event_type}/{locale}.subject")
}

pub(super) fn text(event_type: &str, locale: &str) -> String {
    format!("{event_type}/{locale}.txt")
}

pub(super) fn html(event_type: &str, locale: &str) -> String {
    format!("{event_type}/{locale}.html")
}

/// Compiles all of them into `environment`.
pub(super) fn add_to(environment: &mut Environment<'static>) -> Result<(), Error> {
    // Lines that hold only a tag leave no line behind.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("link", link);
    for (name, source) in SHARED {
        environment.add_template(name, source)?;
    }
    for (event_type, locale, source) in MAILS {
        add_mail(environment, (event_type, locale), source)?;
    }
    Ok(())
}

fn add_mail(
    environment: &mut Environment<'static>,
    (event_type, locale): (&str, &str),
    source: &str,
) -> Result<(), Error> {
    let parts = source.split_once("\n--- text\n").and_then(|(subject, rest)| {
        let (text, html) = rest.split_once("\n--- html\n")?;
        Some((subject, text, html))
    });
    let Some((subject_source, text_source, html_source)) = parts else {
        return Err(Error::new(ErrorKind::SyntaxError, format!("{event_type}/{locale} lacks a part")));
    };
    environment.add_template_owned(subject(event_type, locale), subject_source.to_owned())?;
    environment.add_template_owned(
        text(event_type, locale),
        format!("{{% extends 'layout.txt' %}}{{% block content %}}{WORDS}{text_source}{{% endblock %}}"),
    )?;
    environment.add_template_owned(
        html(event_type, locale),
        format!(
            "{{% extends 'layout.html' %}}{{% block content %}}{WORDS}{PARTS}{html_source}{{% endblock %}}"
        ),
    )
}

/// An address as HTML: to the web and nowhere else, and legible, as the engine's own escaping of slashes
/// looks like an attempt to hide it.
fn link(address: &str) -> Result<Value, Error> {
    if !(address.starts_with("https://") || address.starts_with("http://")) {
        return Err(Error::new(ErrorKind::InvalidOperation, "a link leads to http:// or https://"));
    }
    let mut html = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            plain => html.push(plain),
        }
    }
    Ok(Value::from_safe_string(html))
}
