//! Within a service, imports point down: edges and tasks → flows → stores and outside machines → domain → error, config.

use super::{Finding, code};
use crate::tree::Tree;

const SERVICES: &[&str] = &["auth", "notify", "gateway", "deploy/standalone"];

/// The floor of a room. Rooms without a floor of their own stand beside the store: outside machines, and `app`,
/// the parts that flows work with.
fn floor(room: &str) -> u8 {
    match room {
        "error" | "config" => 0,
        "domain" => 1,
        "flows" => 3,
        "grpc" | "tasks" => 4,
        "lib" | "main" => 5,
        _ => 2,
    }
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in SERVICES {
        let source = format!("{service}/src/");
        for (path, text) in tree.ending(".rs") {
            let Some(room) = path.strip_prefix(&source).map(room) else { continue };
            for (line, target) in imports(text).into_iter().filter(|(_, name)| is_module(tree, &source, name))
            {
                if !is_down(room, target) {
                    findings.push(Finding::at(path, line, format!("an arrow up: {room} → {target}")));
                }
            }
        }
    }
    findings
}

fn is_down(room: &str, target: &str) -> bool {
    match floor(room) {
        _ if room == target => true,
        0 => false,
        from => floor(target) <= from,
    }
}

/// The room a file lies in: the first folder, or the file's own name.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// What the code names by `crate::name` or `crate::{name, …}`, with the line of each.
fn imports(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (line, words) in code(text) {
        for (at, named) in words.match_indices("crate::") {
            // A list may go on below.
            let tail = &text[offset(text, words) + at + named.len()..];
            match tail
                .strip_prefix('{')
                .and_then(|list| list.split_once("};").or_else(|| list.split_once('}')))
            {
                Some((list, _)) => found.extend(list.split(',').map(|name| (line, first_word(name)))),
                None => found.push((line, first_word(tail))),
            }
        }
    }
    found
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

fn first_word(text: &str) -> &str {
    text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// What is re-exported at the crate's root has no room to be told by.
fn is_module(tree: &Tree, source: &str, name: &str) -> bool {
    !name.is_empty() && (tree.holds(&format!("{source}{name}.rs")) || tree.holds(&format!("{source}{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn an_arrow_up_is_found_wherever_it_is_named() {
        let tree = Tree::of(&[
            ("auth/src/app.rs", "use crate::config::Config;\nuse crate::flows;\n"),
            ("auth/src/config.rs", "use chassis::config::Source;\n"),
            ("auth/src/domain/session.rs", "use crate::error::Error;\nuse crate::store::Tx;\n"),
            ("auth/src/error.rs", "// crate::domain would be a circle\nuse crate::domain::Reason;\n"),
            (
                "auth/src/flows/login.rs",
                "use crate::{\n    grpc,\n    store::Tx,\n};\nfn f() { crate::grpc::g(); }\n",
            ),
            ("auth/src/grpc.rs", "use crate::{flows, domain::User};\n"),
            ("auth/src/lib.rs", "use crate::{grpc, tasks};\n"),
            ("auth/src/store.rs", "use crate::domain::User;\nuse crate::sealing::Seal;\n"),
            ("auth/src/sealing.rs", "use crate::flows::login;\n"),
        ]);
        let expected = [
            "auth/src/app.rs:2",
            "auth/src/domain/session.rs:2",
            "auth/src/error.rs:2",
            "auth/src/flows/login.rs:1",
            "auth/src/flows/login.rs:5",
            "auth/src/sealing.rs:1",
        ];
        assert_eq!(places(&check(&tree)), expected);
    }
}
