//! Names that betray a line in the wrong room: tables only in stores, HTTP only at the edge, wire types not in what decides.

use super::{Finding, code, names_path};
use crate::tree::Tree;

/// Where a library may be named.
struct Rule {
    libraries: &'static [&'static str],
    /// What is looked at.
    within: &'static [&'static str],
    /// And what of it is left out.
    rooms: &'static [&'static str],
    fault: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        libraries: &["sea_orm", "sea_orm_migration", "sqlx"],
        within: &[
            "auth/src/",
            "notify/src/",
            "gateway/src/",
            "proto/src/",
            "certs/src/",
            "deploy/",
            "build-support/",
        ],
        rooms: &[
            "auth/src/store",
            "notify/src/store",
            "build-support/chassis/src/db",
            "build-support/jobs/",
            "build-support/e2e/",
            "build-support/xtask/",
        ],
        fault: "names the database: that is a store's affair",
    },
    Rule {
        libraries: &["axum"],
        within: &["auth/", "notify/", "proto/", "certs/", "deploy/", "build-support/"],
        rooms: &["build-support/xtask/"],
        fault: "names the edge's library: that is the gateway's affair",
    },
    Rule {
        libraries: &["http", "hyper", "hyper_util", "prost", "prost_types", "tonic"],
        within: &[
            "auth/src/domain",
            "auth/src/flows",
            "auth/src/store",
            "notify/src/domain",
            "notify/src/flows",
            "notify/src/store",
        ],
        rooms: &[],
        fault: "names a wire: parse before, translate after",
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        for (path, text) in tree.ending(".rs").filter(|(path, _)| rule.applies_to(path)) {
            for (line, words) in code(text) {
                if let Some(library) = rule.libraries.iter().find(|library| names_path(words, library)) {
                    findings.push(Finding::at(path, line, format!("`{library}` {}", rule.fault)));
                }
            }
        }
    }
    findings
}

impl Rule {
    fn applies_to(&self, path: &str) -> bool {
        let is_under = |folder: &&str| path.starts_with(folder);
        let proof = path.contains("/tests/") || path.ends_with("/tests.rs");
        !proof && self.within.iter().any(is_under) && !self.rooms.iter().any(is_under)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_library_named_in_the_wrong_room_is_found() {
        let tree = Tree::of(&[
            ("auth/src/domain/user.rs", "use tonic::Status;\n"),
            ("auth/src/flows/login.rs", "use sea_orm::DbErr;\n"),
            ("auth/src/grpc/sessions.rs", "use tonic::Status;\n"),
            ("auth/src/store/users.rs", "use sea_orm::DbErr;\n"),
            ("auth/tests/it/main.rs", "use sea_orm::DbErr;\n"),
            ("build-support/chassis/src/health.rs", "use axum::Router;\nuse hyper::body;\n"),
            ("gateway/src/app.rs", "use axum::Router;\n"),
        ]);
        let expected = [
            "auth/src/flows/login.rs:1",
            "build-support/chassis/src/health.rs:1",
            "auth/src/domain/user.rs:1",
        ];
        assert_eq!(places(&check(&tree)), expected);
    }
}
