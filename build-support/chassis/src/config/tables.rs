//! Files that settings are read from: flat TOML tables, and secrets in files of their own.

use std::collections::BTreeMap;

/// A file of settings or a secret larger than this is a mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a flat TOML file into texts by upper-case name.
pub(super) fn read_file(path: &str) -> Result<BTreeMap<String, String>, String> {
    flatten(&read(path)?)
}

/// Reads a secret; one line break at its end is an editor's, not the secret's.
pub(super) fn read_secret(path: &str) -> Result<String, String> {
    let mut secret = read(path)?;
    if secret.ends_with('\n') {
        secret.pop();
    }
    if secret.ends_with('\r') {
        secret.pop();
    }
    Ok(secret)
}

/// The top-level keys of a TOML text in upper case, their values as text; a list is joined by commas.
pub(super) fn flatten(text: &str) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| format!("is no TOML: {}", error.message()))?;
    table.into_iter().map(|(key, value)| Ok((key.to_uppercase(), plain(&key, value)?))).collect()
}

fn plain(key: &str, value: toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(truth) => Ok(truth.to_string()),
        toml::Value::Datetime(time) => Ok(time.to_string()),
        toml::Value::Array(items) => {
            let items: Result<Vec<String>, String> = items.into_iter().map(|item| plain(key, item)).collect();
            Ok(items?.join(","))
        }
        toml::Value::Table(_) => Err(format!("`{key}` is a table, expected flat keys only")),
    }
}

fn read(path: &str) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("`{path}` cannot be read: {error}"))?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("`{path}` has {size} bytes, expected at most {FILE_BYTES_MAX}"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}"))
}
