//! The policy file's own shape, and nothing of what it means.

use serde::Deserialize;

use crate::MeshError;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) allow: Vec<Allow>,
}

/// One permission: these callers, these methods of this service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    /// Services of the same trust domain, `gateway`, or whole ids, `spiffe://…`.
    pub(super) from: Vec<String>,
    /// A service of the contracts, by its full name.
    pub(super) to: String,
    /// Its methods; `*` is all of them.
    pub(super) methods: Vec<String>,
}

pub(super) fn parse(text: &str) -> Result<File, MeshError> {
    let file: File = toml::from_str(text).map_err(|error| MeshError::Policy(error.to_string()))?;
    if file.version != 1 {
        return Err(MeshError::Policy(format!("version {} is unknown", file.version)));
    }
    Ok(file)
}
