//! The default files as the manual they are: each key with the comment above it.

use super::{Faults, fault, tables};

/// One setting as its default file documents it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The environment variable, in upper case.
    pub name: String,
    /// Its default as text; empty means "not given".
    pub default: String,
    /// What it means: the comment above the key, in one paragraph.
    pub comment: String,
    /// The first line of the default file, which says whose settings these are.
    pub chapter: String,
}

/// Reads the contents of default files. A key without a comment, or twice, is a fault of the program.
pub(super) fn read(defaults: &[&str]) -> Result<Vec<Entry>, Faults> {
    let mut entries: Vec<Entry> = Vec::new();
    for text in defaults {
        let values = tables::flatten(text).map_err(|problem| fault("built-in defaults", problem))?;
        let chapter = text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']).to_owned();
        let mut comment: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(words) = line.strip_prefix('#') {
                comment.push(words.trim());
                continue;
            }
            let paragraph = std::mem::take(&mut comment).join(" ");
            let Some((key, _)) = line.split_once('=') else { continue };
            let name = key.trim().to_uppercase();
            let Some(default) = values.get(&name) else { continue };
            if paragraph.is_empty() || entries.iter().any(|entry| entry.name == name) {
                return Err(fault(&name, "needs one place and a comment in the default files".to_owned()));
            }
            entries.push(Entry {
                name,
                default: default.clone(),
                comment: paragraph,
                chapter: chapter.clone(),
            });
        }
    }
    Ok(entries)
}
