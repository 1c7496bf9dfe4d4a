//! The tables of settings, read from the commented default files that the binaries carry.

use toml::{Table, Value};

use super::row;
use crate::tree::Tree;

/// The default files and what their tables are called.
const FILES: &[(&str, &str)] = &[
    ("build-support/chassis/src/default.toml", "Every service"),
    ("gateway/src/default.toml", "gateway"),
    ("auth/src/default.toml", "auth"),
    ("notify/src/default.toml", "notify"),
];

pub(super) fn tables(tree: &Tree) -> Result<String, String> {
    let mut chapters = Vec::new();
    for (path, title) in FILES {
        let text = tree.text(path).ok_or_else(|| format!("{path} is not there"))?;
        let rows = rows(text).map_err(|reason| format!("{path}: {reason}"))?;
        chapters
            .push(format!("### {title}\n\n| variable | default | meaning |\n| --- | --- | --- |\n{rows}"));
    }
    Ok(chapters.join("\n"))
}

/// A row for each key: the comment above it is its meaning.
fn rows(text: &str) -> Result<String, String> {
    let values: Table = text.parse().map_err(|_| "is no TOML")?;
    let mut rows = String::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
            continue;
        }
        let meaning = std::mem::take(&mut comment).join(" ");
        let key = line.split('=').next().unwrap_or_default().trim();
        let Some(value) = values.get(key) else { continue };
        if meaning.is_empty() {
            return Err(format!("`{key}` has no comment"));
        }
        let default = match value {
            Value::String(text) if text.is_empty() => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        rows.push_str(&row(&[&format!("`{}`", key.to_uppercase()), &default, &meaning]));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_told_with_its_default_and_meaning() {
        let rows = rows(
            "# A chapter.\n\n# Where it\n# listens.\nlisten = \"a:1\"\n\n# How many.\ncount = 5\n# None.\nnone = \"\"\n",
        );
        let expected = "| `LISTEN` | `a:1` | Where it listens. |\n| `COUNT` | `5` | How many. |\n| `NONE` |  | None. |\n";
        assert_eq!(rows.unwrap(), expected);
    }

    #[test]
    fn a_setting_without_a_word_is_an_error() {
        assert_eq!(rows("a = 1\n").unwrap_err(), "`a` has no comment");
    }
}
