//! The files of the house as text, read once; the rules look at nothing else, so that they can be tried
//! on trees of a few lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every file by its path from the root.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what git keeps or would keep; without git, everything but what is built.
    pub(crate) fn read() -> Result<Tree, String> {
        let paths = match listed() {
            Some(paths) => paths,
            None => walked()?,
        };
        let text = |path: String| {
            let bytes = fs::read(&path).ok()?;
            Some((path, String::from_utf8_lossy(&bytes).into_owned()))
        };
        Ok(Tree { files: paths.into_iter().filter_map(text).collect() })
    }

    /// A tree of these files.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Tree { files: files.iter().map(owned).collect() }
    }

    /// Every file, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files whose name ends so.
    pub(crate) fn ending(&self, end: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.ends_with(end))
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether a file or folder has this path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path) || self.files.keys().any(|file| is_inside(file, path))
    }

    /// Whether the path of some file or folder ends with these segments.
    pub(crate) fn holds_ending(&self, end: &str) -> bool {
        let end = format!("/{}", end.trim_end_matches('/'));
        let within = format!("{end}/");
        self.files.keys().any(|file| file.ends_with(&end) || file.contains(&within))
    }
}

/// Whether `file` lies in `folder`.
fn is_inside(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn listed() -> Option<Vec<String>> {
    let git = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let asked = Command::new("git").args(git).output().ok()?;
    let names = String::from_utf8(asked.stdout).ok()?;
    asked
        .status
        .success()
        .then(|| names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn walked() -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders = vec![".".to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries.flatten() {
            let path = entry.path().display().to_string();
            let path = path.trim_start_matches("./").to_owned();
            match Path::new(&path).is_dir() {
                true if matches!(path.as_str(), "target" | ".git" | ".data") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    Ok(files)
}
