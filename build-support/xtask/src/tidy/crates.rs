//! Dependencies between the house's crates point down, and services never depend on services.

use toml::Table;

use super::Finding;
use crate::tree::Tree;

/// The crates from the ground up; a crate depends on lower floors only.
const FLOORS: &[&[&str]] = &[
    &["proto"],
    &["chassis"],
    &["mesh", "jobs"],
    &["certs"],
    &["auth", "gateway", "notify"],
    &["platform"],
    &["testkit"],
    &["e2e", "bench", "xtask"],
];

const SERVICES: &[&str] = &["auth", "gateway", "notify"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending("/Cargo.toml").flat_map(|(path, text)| manifest(path, text)).collect()
}

fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let Ok(manifest) = text.parse::<Table>() else { return vec![Finding::new(path, "is no TOML")] };
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    let Some(name) = name else { return Vec::new() };
    let Some(floor) = floor(name) else {
        return vec![Finding::new(path, format!("`{name}` has no floor: give it one in {}", file!()))];
    };
    let mut findings = Vec::new();
    for dependency in dependencies(&manifest, "dependencies") {
        if self::floor(dependency).is_some_and(|other| other >= floor) {
            findings.push(Finding::new(path, format!("an arrow up: {name} → {dependency}")));
        }
    }
    for dependency in dependencies(&manifest, "dev-dependencies") {
        if SERVICES.contains(&name) && SERVICES.contains(&dependency) {
            findings.push(Finding::new(path, format!("a service knows a service: {name} → {dependency}")));
        }
    }
    findings
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

fn dependencies<'a>(manifest: &'a Table, section: &str) -> impl Iterator<Item = &'a str> {
    let section = manifest.get(section).and_then(toml::Value::as_table);
    section.into_iter().flat_map(|table| table.keys().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn of(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn an_arrow_up_or_between_services_is_found_and_one_down_is_not() {
        let tree = Tree::of(&[
            (
                "auth/Cargo.toml",
                &of("auth", "[dependencies]\njobs = {}\nserde = {}\n[dev-dependencies]\ntestkit = {}"),
            ),
            ("gateway/Cargo.toml", &of("gateway", "[dev-dependencies]\nauth = {}")),
            ("notify/Cargo.toml", &of("notify", "[dependencies]\nauth.workspace = true")),
            ("proto/Cargo.toml", &of("proto", "[dependencies]\nchassis = {}")),
            ("strange/Cargo.toml", &of("strange", "")),
        ]);
        let found = check(&tree);
        let expected = ["gateway/Cargo.toml", "notify/Cargo.toml", "proto/Cargo.toml", "strange/Cargo.toml"];
        assert_eq!(places(&found), expected);
    }
}
