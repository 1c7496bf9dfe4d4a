//! The top level is fixed.

use super::Finding;
use crate::tree::Tree;

const ENTRIES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "auth",
    "build-support",
    "certs",
    "deploy",
    "gateway",
    "notify",
    "proto",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut entries: Vec<&str> = tree.files().filter_map(|(path, _)| path.split('/').next()).collect();
    entries.dedup();
    entries
        .into_iter()
        .filter(|entry| !entry.starts_with('.') && !ENTRIES.contains(entry))
        .map(|entry| Finding::new(entry, "the top level is fixed: this has a room further down"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_new_entry_at_the_top_is_found_and_dot_files_are_not() {
        let tree =
            Tree::of(&[("README.md", ""), (".ci/run", ""), ("src/lib.rs", ""), ("auth/src/lib.rs", "")]);
        assert_eq!(places(&check(&tree)), ["src"]);
    }
}
