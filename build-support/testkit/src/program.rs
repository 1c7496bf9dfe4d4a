//! Where the servers' programs are: Debian keeps some of them off the path.

use std::fs;
use std::path::PathBuf;

/// The program `name`, where this machine has it.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    postgres_folders()
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The program `name`; without it a test cannot go on.
pub(crate) fn needed(name: &str) -> PathBuf {
    find(name)
        .unwrap_or_else(|| panic!("`{name}` is not installed; `cargo xtask test` installs it or says how"))
}

/// The folders of the installed versions of PostgreSQL, the newest first.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_by(|one, other| other.cmp(one));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_machine_has_is_found_and_what_none_has_is_not() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }
}
