//! Turns an event and a reader into words: of a mail, of an inbox. The sources are files, one a type and
//! language; what is missing is an error, markup is escaped in HTML and nowhere else, and a runaway
//! template runs out of fuel.

mod context;
mod mails;
mod notes;

use minijinja::{Environment, UndefinedBehavior, Value, context};

pub(crate) use context::{Secrets, Speech};

use crate::domain::delivery::Channel;
use crate::domain::locale;
use crate::domain::notification::Words;

/// What one rendering may cost, in instructions; ours need some hundreds.
const FUEL: u64 = 20_000;

/// The message a template has made. It is never stored and never logged.
pub(crate) struct Message {
    /// One line.
    pub(crate) subject: String,
    /// The plain part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
}

/// A message cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// Nobody has written one for this type.
    #[error("there is no template for {0}")]
    Missing(String),
    /// A template is wrong, or lacks what it speaks of. The words are the template's own.
    #[error("the template cannot be used: {0}")]
    Broken(String),
}

/// Every template there is.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Compiles the built-in templates.
    pub(crate) fn built_in() -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        mails::add_to(&mut environment).map_err(|error| broken(&error))?;
        notes::add_to(&mut environment).map_err(|error| broken(&error))?;
        Ok(Self { environment })
    }

    /// Over which channels beside the inbox an event of this type is told.
    pub(crate) fn channels(&self, event_type: &str) -> &'static [Channel] {
        if self.is_written(&mails::subject(event_type, locale::LAST_RESORT)) {
            &[Channel::Email]
        } else {
            &[]
        }
    }

    /// Whether an event of this type comes into inboxes.
    pub(crate) fn has_note(&self, event_type: &str) -> bool {
        self.is_written(&notes::title(event_type, locale::LAST_RESORT))
    }

    /// What an inbox says of an event of this type, in the best language there is for the reader.
    pub(crate) fn note(&self, event_type: &str, speech: &Speech<'_>) -> Result<Words, TemplateError> {
        let language = self.language(event_type, speech.locale, notes::title)?;
        let words = context! { locale => language.as_str(), ..speech.context() };
        let title = self.render(&notes::title(event_type, &language), &words)?;
        let body = self.render(&notes::body(event_type, &language), &words)?;
        Words::new(&title, &body)
            .ok_or_else(|| TemplateError::Broken(format!("{event_type}: an empty title")))
    }

    /// The mail that tells of an event of this type, in the best language there is for the reader.
    pub(crate) fn mail(&self, event_type: &str, speech: &Speech<'_>) -> Result<Message, TemplateError> {
        let language = self.language(event_type, speech.locale, mails::subject)?;
        let words = context! { locale => language.as_str(), ..speech.context() };
        let subject = one_line(&self.render(&mails::subject(event_type, &language), &words)?);
        let words = context! { subject => subject.as_str(), ..words };
        Ok(Message {
            text: self.render(&mails::text(event_type, &language), &words)?,
            html: self.render(&mails::html(event_type, &language), &words)?,
            subject,
        })
    }

    /// The best language that somebody has written this in.
    fn language(
        &self,
        event_type: &str,
        wished: &str,
        name: fn(&str, &str) -> String,
    ) -> Result<String, TemplateError> {
        let written = |tag: &String| self.is_written(&name(event_type, tag));
        let language = locale::fallbacks(wished).into_iter().find(written);
        language.ok_or_else(|| TemplateError::Missing(event_type.to_owned()))
    }

    fn is_written(&self, name: &str) -> bool {
        self.environment.get_template(name).is_ok()
    }

    fn render(&self, name: &str, words: &Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name).map_err(|error| broken(&error))?;
        template.render(words.clone()).map_err(|error| broken(&error))
    }
}

/// Says where a template is wrong. What it was given to speak of is left out: it may be a secret.
fn broken(error: &minijinja::Error) -> TemplateError {
    let place = format!("{}:{}", error.name().unwrap_or("?"), error.line().unwrap_or(0));
    TemplateError::Broken(format!("{place}: {}: {}", error.kind(), error.detail().unwrap_or_default()))
}

/// Headers are lines: whatever breaks them becomes a space.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
