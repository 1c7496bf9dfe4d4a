//! Each source file says its job first, stays within sight, and is named by its module.

use super::Finding;
use crate::tree::Tree;

/// Past this a file has more than one job.
const LINES_MAX: usize = 400;
/// Past this a file is worth a look.
const LINES_NOTED: usize = 250;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs") {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(Finding::new(path, format!("{lines} lines, at most {LINES_MAX}")));
        }
        if path.ends_with("/mod.rs") {
            findings.push(Finding::new(path, "a module's file bears its name: no mod.rs"));
        }
        if !text.trim_start().starts_with("//!") {
            findings.push(Finding::new(path, "opens without a sentence (`//! …`) on its job"));
        }
    }
    findings
}

/// What is no fault yet.
pub(super) fn notes(tree: &Tree) -> Vec<Finding> {
    let long = |(path, text): (&str, &str)| {
        let lines = text.lines().count();
        let noted = lines > LINES_NOTED && lines <= LINES_MAX;
        noted.then(|| Finding::new(path, format!("{lines} lines; most files stay within 200")))
    };
    tree.ending(".rs").filter_map(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_file_opens_with_its_job_and_ends_in_sight() {
        let long = format!("//! Much.\n{}", "\n".repeat(LINES_MAX));
        let noted = format!("//! More.\n{}", "\n".repeat(LINES_NOTED));
        let tree = Tree::of(&[
            ("a/good.rs", "//! Adds.\n"),
            ("a/long.rs", &long),
            ("a/mod.rs", "//! Holds.\n"),
            ("a/mute.rs", "use std::fs;\n"),
            ("a/noted.rs", &noted),
        ]);
        assert_eq!(places(&check(&tree)), ["a/long.rs", "a/mod.rs", "a/mute.rs"]);
        assert_eq!(places(&notes(&tree)), ["a/noted.rs"]);
    }
}
