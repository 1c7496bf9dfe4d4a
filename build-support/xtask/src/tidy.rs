//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy knows. Each rule reads the
//! tree and says what is against it; nothing is changed here.

mod crates;
mod documents;
mod files;
mod floors;
mod layout;
mod machines;
mod names;

use crate::Outcome;
use crate::tree::Tree;

/// Something that is against a rule, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    fault: String,
}

impl Finding {
    fn new(place: impl Into<String>, fault: impl Into<String>) -> Finding {
        Finding { place: place.into(), fault: fault.into() }
    }

    fn at(path: &str, line: usize, fault: impl Into<String>) -> Finding {
        Finding::new(format!("{path}:{line}"), fault)
    }
}

const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
    layout::check,
    files::check,
    crates::check,
    floors::check,
    names::check,
    documents::check,
    machines::check,
];

pub(crate) fn run() -> Outcome {
    let tree = Tree::read()?;
    for note in files::notes(&tree) {
        eprintln!("note: {}: {}", note.place, note.fault);
    }
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    for finding in &findings {
        eprintln!("error: {}: {}", finding.place, finding.fault);
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("the house is not tidy: {count} findings")),
    }
}

/// The lines of code of a file with their numbers; comments are no code.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Where `name` stands in a line as a path's first segment: `name::…`, no part of a longer name or path.
fn names_path(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let absolute =
            line[..at].ends_with("::") && !line[..at].trim_end_matches("::").ends_with(char::is_alphanumeric);
        (starts || absolute) && line[at + name.len()..].starts_with("::")
    })
}

/// The places of the findings, for tests.
#[cfg(test)]
fn places(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.place.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_first_segment_alone() {
        for named in ["use http::Request;", "let a = ::http::X;", "fn f(x: http::Y)"] {
            assert!(names_path(named, "http"), "{named}");
        }
        for other in
            ["use crate::http::Client;", "let a = myhttp::X;", "https::X", "let http = 1;", "\"http://x\""]
        {
            assert!(!names_path(other, "http"), "{other}");
        }
    }
}
