//! Nothing that is kept tells of the machine it was made on.

use super::Finding;
use crate::tree::Tree;

const HOMES: &[&str] = &["work", "root", "home", "Users"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            if let Some(home) = HOMES.iter().find(|home| begins_path(line, &format!("/{home}/"))) {
                findings.push(Finding::at(path, index + 1, format!("a path of one machine: /{home}/…")));
            }
        }
    }
    findings
}

/// Whether `root` stands in the line as the beginning of a path, not somewhere within one.
fn begins_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')' | '~' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_home_is_found_and_a_folder_of_the_house_is_not() {
        let stray = format!("see /{}/me/notes\n", HOMES[2]);
        let tree = Tree::of(&[
            ("a.md", &stray),
            ("b.md", "see gateway/src/home/page.rs and https://example.com/home/\n"),
        ]);
        assert_eq!(places(&check(&tree)), ["a.md:1"]);
    }
}
