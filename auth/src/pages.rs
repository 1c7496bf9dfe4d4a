//! The plain pages that the links of mails lead to: words in two languages, and the HTML around them.
//! They act by their forms only; what a form does is a flow.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Value, context};
use proto::google::api::HttpBody;
use proto::{ErrorCode, ServiceError};
use serde::Deserialize;

const PAGE: &str = include_str!("pages/page.html");

/// What a page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page<'a> {
    /// The button that proves an address.
    VerifyEmail { token: &'a str },
    /// The address is proved.
    EmailVerified,
    /// The form of a new password, with what was wrong with the last one.
    ResetPassword { token: &'a str, complaint: Option<&'a str> },
    /// The password is set.
    PasswordReset,
    /// It did not work.
    Failed { code: ErrorCode },
}

/// The words of one language.
#[derive(Deserialize)]
struct Words {
    verify_title: &'static str,
    verify_text: &'static str,
    verify_button: &'static str,
    verified_title: &'static str,
    verified_text: &'static str,
    reset_title: &'static str,
    reset_text: &'static str,
    reset_field: &'static str,
    reset_button: &'static str,
    reset_done_title: &'static str,
    reset_done_text: &'static str,
    failed_title: &'static str,
    link_invalid: &'static str,
    later: &'static str,
}

static ENGLISH: LazyLock<Words> = LazyLock::new(|| words(include_str!("pages/en.json")));
static VIETNAMESE: LazyLock<Words> = LazyLock::new(|| words(include_str!("pages/vi.json")));

#[expect(clippy::expect_used, reason = "the files are built in, and a test reads both")]
fn words(json: &'static str) -> Words {
    serde_json::from_str(json).expect("the words of a page are complete")
}

/// The page in the language the client prefers, of those there are.
pub(crate) fn render(page: Page<'_>, language: Option<&str>) -> Result<HttpBody, ServiceError> {
    let (lang, words): (_, &Words) =
        if prefers_vietnamese(language) { ("vi", &VIETNAMESE) } else { ("en", &ENGLISH) };
    let shown = match page {
        Page::VerifyEmail { token } => context! {
            title => words.verify_title, text => words.verify_text,
            action => path("/auth/verify-email/page"), button => words.verify_button, token,
        },
        Page::EmailVerified => context! { title => words.verified_title, text => words.verified_text },
        Page::ResetPassword { token, complaint } => context! {
            title => words.reset_title, text => words.reset_text,
            action => path("/auth/reset-password/page"), button => words.reset_button, token,
            field => words.reset_field, complaint,
        },
        Page::PasswordReset => context! { title => words.reset_done_title, text => words.reset_done_text },
        Page::Failed { code } => {
            let text = if code == ErrorCode::AuthLinkInvalid { words.link_invalid } else { words.later };
            context! { title => words.failed_title, text }
        }
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let html = environment.render_str(PAGE, context! { lang, ..shown }).map_err(ServiceError::internal)?;
    Ok(HttpBody {
        content_type: "text/html; charset=utf-8".to_owned(),
        data: html.into_bytes(),
        extensions: Vec::new(),
    })
}

/// A path of our own, in which nothing is to be escaped.
fn path(path: &'static str) -> Value {
    Value::from_safe_string(path.to_owned())
}

/// The first of our languages that `Accept-Language` names; its weights are in falling order by habit.
fn prefers_vietnamese(language: Option<&str>) -> bool {
    let mut named = language.unwrap_or_default().split(',').map(|tag| tag.trim().to_ascii_lowercase());
    named.find(|tag| tag.starts_with("vi") || tag.starts_with("en")).is_some_and(|tag| tag.starts_with("vi"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(page: Page<'_>, language: Option<&str>) -> String {
        String::from_utf8(render(page, language).unwrap().data).unwrap()
    }

    #[test]
    fn a_page_speaks_the_language_of_its_reader() {
        let page = Page::EmailVerified;
        assert!(html(page, Some("vi-VN,vi;q=0.9,en;q=0.8")).contains("<html lang=\"vi\">"));
        for language in [None, Some("fr"), Some("en-GB,vi;q=0.5"), Some("")] {
            assert!(html(page, language).contains("<html lang=\"en\">"), "{language:?}");
        }
    }

    #[test]
    fn a_page_carries_its_token_and_nothing_of_a_strangers() {
        let page = html(Page::ResetPassword { token: "\"><script>", complaint: None }, None);
        assert!(page.contains("action=\"/auth/reset-password/page\""));
        assert!(!page.contains("<script>"));
    }
}
