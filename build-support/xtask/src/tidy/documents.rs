//! Documents name files that are there, and their generated tables are current.

use super::Finding;
use crate::docs;
use crate::tree::Tree;

const EXTENSIONS: &[&str] = &["rs", "toml", "proto", "md", "yaml", "yml", "json", "sh", "sql"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        for (line, name) in named(text) {
            if !is_there(tree, path, name) {
                findings.push(Finding::at(path, line, format!("names `{name}`, which is not there")));
            }
        }
    }
    match docs::render(tree) {
        Ok(current) => findings.extend(
            current
                .into_iter()
                .filter(|(path, text)| tree.text(path) != Some(text))
                .map(|(path, _)| Finding::new(path, "its tables are out of date: run `cargo xtask docs`")),
        ),
        Err(reason) => findings.push(Finding::new(docs::PAGE, reason)),
    }
    findings
}

/// The files that a document names, in back-ticks or as targets of links, outside of fenced code.
fn named(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().flat_map(move |(index, line)| {
        fenced ^= line.trim_start().starts_with("```");
        let quoted = line.split('`').skip(1).step_by(2).filter(|word| is_file_name(word));
        let linked = line.split("](").skip(1).filter_map(|tail| tail.split([')', '#']).next());
        let linked = linked.filter(|target| !target.is_empty() && !target.contains(':'));
        let names: Vec<&str> = if fenced { Vec::new() } else { quoted.chain(linked).collect() };
        names.into_iter().map(move |name| (index + 1, name))
    })
}

/// A path of plain characters, which begins in a room of the house or ends in a known extension.
fn is_file_name(word: &str) -> bool {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c));
    let extended =
        word.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && EXTENSIONS.contains(&end));
    let rooms =
        ["proto/", "gateway/", "auth/", "notify/", "build-support/", "deploy/", "certs/", ".ci/", ".config/"];
    plain && !word.starts_with('/') && (extended || rooms.iter().any(|room| word.starts_with(room)))
}

/// From the root, beside the document, or as the end of some path.
fn is_there(tree: &Tree, document: &str, name: &str) -> bool {
    let beside =
        document.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"));
    tree.holds(name) || tree.holds(&resolved(&beside)) || tree.holds_ending(name)
}

/// The path without `.` and `..`.
fn resolved(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_names_a_file_that_is_gone_is_found() {
        let page = "See `auth/src/lib.rs`, `lib.rs`, `gone.rs` and [this](../auth/none.md).\n\
            `POST /auth/login` is `/auth/login`, `application/json`, `auth/`, [here](#below), [there](https://a.b/c.md).\n\
            ```\n`fenced.rs`\n```\n`notify/src/gone`\n";
        let tree = Tree::of(&[("deploy/page.md", page), ("auth/src/lib.rs", ""), ("notify/src/lib.rs", "")]);
        let found: Vec<String> =
            check(&tree).into_iter().filter(|finding| finding.place != docs::PAGE).map(|f| f.fault).collect();
        let gone = ["gone.rs", "../auth/none.md", "notify/src/gone"];
        assert_eq!(found, gone.map(|name| format!("names `{name}`, which is not there")));
    }
}
