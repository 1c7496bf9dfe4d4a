//! The table of error codes, read from the text of their contract.
//!
//! The contract's compiler would be the better reader, but every command would wait until it is built;
//! an entry that this reader does not understand is an error, so none is left out.

use std::fmt::Write;

use super::row;
use crate::tree::Tree;

const CONTRACT: &str = "proto/platform/errors/v1/errors.proto";

/// One code of the contract.
#[derive(Debug, PartialEq)]
struct Entry<'a> {
    name: &'a str,
    http: &'a str,
    grpc: &'a str,
    action: String,
    meaning: String,
}

pub(super) fn table(tree: &Tree) -> Result<String, String> {
    let contract = tree.text(CONTRACT).ok_or_else(|| format!("{CONTRACT} is not there"))?;
    let actions = actions(contract)?;
    let mut table = row(&["code", "HTTP", "gRPC", "meaning", "what a frontend does"]);
    table.push_str("| --- | --- | --- | --- | --- |\n");
    for entry in entries(contract)? {
        let action = actions.iter().find(|(name, _)| *name == entry.action).map(|(_, meaning)| meaning);
        let action = action.ok_or_else(|| format!("{}: no such action: {}", entry.name, entry.action))?;
        let name = format!("`{}`", entry.name);
        write!(table, "{}", row(&[&name, entry.http, entry.grpc, &entry.meaning, action]))
            .unwrap_or_default();
    }
    Ok(table)
}

fn entries(contract: &str) -> Result<Vec<Entry<'_>>, String> {
    let sent = values(contract, "ErrorCode")?.into_iter().filter(|(_, statement)| statement.contains('['));
    sent.map(|(meaning, statement)| {
        let unread = || format!("{CONTRACT}: cannot read `{statement}`");
        let name = statement.trim_start().strip_prefix("ERROR_CODE_").ok_or_else(unread)?;
        let name = name.split_whitespace().next().ok_or_else(unread)?;
        let option = |key: &str| {
            let value = statement.split_once(&format!("{key}:"))?.1.trim_start();
            value.split([' ', '}', ',']).next()
        };
        Ok(Entry {
            name,
            http: option("http_status").ok_or_else(unread)?,
            grpc: option("grpc_code").ok_or_else(unread)?,
            action: option("ui").ok_or_else(unread)?.to_owned(),
            meaning,
        })
    })
    .collect()
}

/// The frontend's actions: name and meaning.
fn actions(contract: &str) -> Result<Vec<(&str, String)>, String> {
    let values = values(contract, "UiAction")?;
    Ok(values
        .into_iter()
        .map(|(meaning, text)| (text.split(' ').next().unwrap_or_default(), meaning))
        .collect())
}

/// The values of an enum: the comment above each, in one line, and its statement.
fn values<'a>(contract: &'a str, name: &str) -> Result<Vec<(String, &'a str)>, String> {
    let (_, body) = contract
        .split_once(&format!("enum {name} {{\n"))
        .ok_or_else(|| format!("{CONTRACT}: no enum {name}"))?;
    let mut values = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in body.lines().map(str::trim).take_while(|line| *line != "}") {
        match line.strip_prefix("//") {
            Some(words) => comment.push(words.trim()),
            None if line.ends_with(';') => values.push((std::mem::take(&mut comment).join(" "), line)),
            None if line.is_empty() => comment.clear(),
            None => return Err(format!("{CONTRACT}: a value of {name} goes over lines: `{line}`")),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
enum UiAction {
  // Not declared.
  UI_ACTION_UNSPECIFIED = 0;
  // Shows the message.
  UI_ACTION_SHOW = 1;
}
enum ErrorCode {
  // No code; never sent.
  ERROR_CODE_UNSPECIFIED = 0;

  // It does not exist,
  // or belongs to a|b.
  ERROR_CODE_NOT_FOUND = 60 [(error) = {http_status: 404 grpc_code: NOT_FOUND ui: UI_ACTION_SHOW message: \"No.\"}];
}
";

    #[test]
    fn the_table_tells_each_code_that_is_sent() {
        let table = table(&Tree::of(&[(CONTRACT, TEXT)])).unwrap();
        let last = table.lines().last().unwrap();
        assert_eq!(
            last,
            "| `NOT_FOUND` | 404 | NOT_FOUND | It does not exist, or belongs to a\\|b. | Shows the message. |"
        );
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn a_value_that_cannot_be_read_is_an_error() {
        let broken = TEXT.replace("http_status", "status");
        assert!(table(&Tree::of(&[(CONTRACT, &broken)])).unwrap_err().contains("ERROR_CODE_NOT_FOUND"));
    }
}
