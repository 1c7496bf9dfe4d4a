//! The files that inbox notifications are made of: `inbox/{type}/{locale}.note` holds the title and the
//! body. They are plain text; whoever shows them escapes them for where they stand.

use minijinja::{Environment, Error, ErrorKind};

macro_rules! notes {
    ($($event_type:literal $locale:literal),* $(,)?) => {
        &[$(($event_type, $locale, include_str!(concat!("inbox/", $event_type, "/", $locale, ".note")))),*]
    };
}

/// Type, language, source.
const NOTES: &[(&str, &str, &str)] = notes![
    "auth.password-changed" "en",
    "auth.password-changed" "vi",
    "auth.session-limit-reached" "en",
    "auth.session-limit-reached" "vi",
    "security.token-reused" "en",
    "security.token-reused" "vi",
    "user.verified" "en",
    "user.verified" "vi",
];

/// The names of a note's two templates; neither ending escapes markup.
pub(super) fn title(event_type: &str, locale: &str) -> String {
    format!("{event_type}/{locale}.title")
}

pub(super) fn body(event_type: &str, locale: &str) -> String {
    format!("{event_type}/{locale}.body")
}

/// Compiles all of them into `environment`.
pub(super) fn add_to(environment: &mut Environment<'static>) -> Result<(), Error> {
    for (event_type, locale, source) in NOTES {
        let Some((title_source, body_source)) = source.split_once("\n--- body\n") else {
            let problem = format!("the note {event_type}/{locale} lacks a part");
            return Err(Error::new(ErrorKind::SyntaxError, problem));
        };
        environment.add_template_owned(title(event_type, locale), title_source)?;
        environment.add_template_owned(body(event_type, locale), body_source)?;
    }
    Ok(())
}
