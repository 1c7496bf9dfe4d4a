//! `cargo xtask docs`: the reference tables, made from the contracts and the default files, so that the
//! page cannot say other than the program does. The words around the tables are written by hand.

mod errors;
mod settings;

use std::fs;

use crate::Outcome;
use crate::tree::Tree;

/// The page that holds the tables.
pub(crate) const PAGE: &str = "deploy/reference.md";

pub(crate) fn run() -> Outcome {
    for (path, text) in render(&Tree::read()?)? {
        fs::write(&path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

/// The pages as they should be: path and text.
pub(crate) fn render(tree: &Tree) -> Result<Vec<(String, String)>, String> {
    let page = tree.text(PAGE).ok_or("the page is not there")?;
    let page = replace(page, "errors", &errors::table(tree)?)?;
    let page = replace(&page, "settings", &settings::tables(tree)?)?;
    Ok(vec![(PAGE.to_owned(), page)])
}

/// The page with another text between the markers of `name`.
fn replace(page: &str, name: &str, text: &str) -> Result<String, String> {
    let open = format!("<!-- generated:{name} -->\n");
    let missing = || format!("has no place for the table of {name}");
    let (before, rest) = page.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once("<!-- /generated -->").ok_or_else(missing)?;
    Ok(format!("{before}{open}\n{text}\n<!-- /generated -->{after}"))
}

/// A table row; what would end a cell, or be taken for markup outside of back-ticks, is escaped.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape(&cell.replace('|', "\\|"))).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn escape(cell: &str) -> String {
    let parts = cell.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => part.replace('<', "&lt;").replace('*', "\\*"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = "a\n<!-- generated:x -->\nold\n<!-- /generated -->\nb\n<!-- generated:y -->\nkept\n<!-- /generated -->\n";
        let replaced = replace(page, "x", "new\n").unwrap();
        assert_eq!(replaced, page.replace("old", "\nnew\n"));
        assert_eq!(replace(&replaced, "x", "new\n").unwrap(), replaced);
        assert!(replace(page, "z", "").is_err());
    }

    #[test]
    fn a_cell_reads_as_it_was_written() {
        assert_eq!(row(&["`<a>|b`", "<c>/*.eml"]), "| `<a>\\|b` | &lt;c>/\\*.eml |\n");
    }
}
