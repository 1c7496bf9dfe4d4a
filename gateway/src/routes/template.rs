//! Path templates of HTTP rules: literal segments, `{field}` segments and a closing `:verb`. What else
//! `google.api.http` allows is refused when the edge starts.

use std::fmt::Write;

/// A path template that the edge can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
    verb: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// The dotted path of a request field.
    Field(String),
}

impl Template {
    /// Reads a template; the error says what is not supported.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = |problem: &str| format!("path template `{text}` {problem}");
        let path = text.strip_prefix('/').ok_or_else(|| fault("does not begin with /"))?;
        if path.contains('=') {
            return Err(fault("has a field with a pattern of its own, which is not supported"));
        }
        let (path, verb) = split_verb(path);
        if verb.is_some_and(|verb| !is_literal(verb)) {
            return Err(fault("has a verb that is no plain word"));
        }
        let segments: Vec<Segment> =
            path.split('/').map(Segment::parse).collect::<Result<_, _>>().map_err(fault)?;
        let template = Self { text: text.to_owned(), segments, verb: verb.map(str::to_owned) };
        let fields: Vec<&str> = template.fields().collect();
        if fields.iter().enumerate().any(|(index, field)| fields[..index].contains(field)) {
            return Err(fault("names a field twice"));
        }
        Ok(template)
    }

    /// The template as the contract writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The dotted paths of the request fields it binds, in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Field(path) => Some(path.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The pattern it is matched by. Fields go by their position, so that templates that name the same
    /// place differently meet in one node; a verb is a segment of its own (see [`split_path_verb`]).
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::new();
        let mut position = 0;
        for segment in &self.segments {
            pattern.push('/');
            match segment {
                Segment::Literal(word) => pattern.push_str(word),
                Segment::Field(_) => {
                    // Writing into a string does not fail.
                    let _ = write!(pattern, "{{{position}}}");
                    position += 1;
                }
            }
        }
        if let Some(verb) = &self.verb {
            pattern.push_str("/:");
            pattern.push_str(verb);
        }
        pattern
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(field) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let named = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            };
            let is_path = field.split('.').all(named);
            return if is_path {
                Ok(Self::Field(field.to_owned()))
            } else {
                Err("has a field without a proper name")
            };
        }
        match text {
            "" => Err("has an empty segment"),
            "*" | "**" => Err("has a wildcard, which is not supported"),
            word if is_literal(word) => Ok(Self::Literal(word.to_owned())),
            _ => Err("has a segment that is neither a plain word nor one `{field}`"),
        }
    }
}

/// The path of a request without its closing verb, and with the verb as a segment of its own, as
/// patterns have it; `None` where the last segment has no colon.
pub(super) fn split_path_verb(path: &str) -> Option<(&str, String)> {
    let last = path.rfind('/')?;
    let colon = last + path[last..].rfind(':')?;
    let plain = &path[..colon];
    Some((plain, format!("{plain}/{}", &path[colon..])))
}

fn split_verb(path: &str) -> (&str, Option<&str>) {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[last..].rfind(':') {
        Some(colon) => (&path[..last + colon], Some(&path[last + colon + 1..])),
        None => (path, None),
    }
}

fn is_literal(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fields_and_a_verb_are_understood() {
        let template = Template::parse("/v1/users/{user_id}/keys/{key.id}:rotate").unwrap();
        assert_eq!(template.fields().collect::<Vec<_>>(), ["user_id", "key.id"]);
        assert_eq!(template.pattern(), "/v1/users/{0}/keys/{1}/:rotate");
        assert_eq!(Template::parse("/.well-known/jwks.json").unwrap().pattern(), "/.well-known/jwks.json");
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for text in [
            "",
            "me",
            "/",
            "/me/",
            "//me",
            "/*",
            "/a/**",
            "/{name=users/*}",
            "/{a}/{a}",
            "/foo*",
            "/{a}b",
            "/{}",
            "/{a..b}",
            "/a:",
            "/a b",
            "/{a",
            "/a?b",
        ] {
            let refused = Template::parse(text).unwrap_err();
            assert!(refused.contains(&format!("`{text}`")), "{refused}");
        }
    }

    #[test]
    fn a_request_path_gives_up_its_verb() {
        assert_eq!(split_path_verb("/keys/7:rotate"), Some(("/keys/7", "/keys/7/:rotate".to_owned())));
        assert_eq!(split_path_verb("/a:b/c"), None);
    }
}
