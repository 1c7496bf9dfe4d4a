//! Settings: the environment first, then the operator's TOML file, then the commented default files
//! built into the binary, which are the manual. Every fault is reported at once.
//!
//! What a value means is its owner's to judge; here it is found, parsed and, where wrong, reported.

mod manual;
mod setting;
mod tables;

use std::collections::BTreeMap;
use std::fmt;

pub use manual::Entry;
pub use setting::{LogFormat, Setting};

/// The settings chassis itself knows: data folder, logs, traces, key-value store, trust.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The variable that names the operator's file.
const CONFIG_FILE: &str = "PLATFORM_CONFIG";

/// Where settings are looked up, and the faults found so far.
pub struct Source {
    manual: Vec<Entry>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    name: String,
    problem: String,
}

/// Every fault of a configuration, one a line: `NAME: what is wrong, what is expected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|fault| format!("{}: {}", fault.name, fault.problem)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// The variables of this process; those that are no Unicode are passed over.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Source {
    /// The settings named in `defaults` (contents of default files), as the process environment has them.
    ///
    /// Fails where a file cannot be read; what its values are worth shows in [`finish`](Source::finish).
    pub fn load(defaults: &[&str]) -> Result<Source, Faults> {
        Source::from_pairs(defaults, process_environment())
    }

    /// The same for one of several services that share a file: keys it does not know are the others'.
    pub fn load_shared(defaults: &[&str]) -> Result<Source, Faults> {
        Source::read(defaults, process_environment())
    }

    /// The same as [`load`](Source::load) with `pairs` for an environment: later ones replace earlier ones
    /// of the same name.
    pub fn from_pairs(
        defaults: &[&str],
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Source, Faults> {
        let mut source = Source::read(defaults, pairs)?;
        source.refuse_unknown_keys();
        Ok(source)
    }

    fn read(defaults: &[&str], pairs: impl IntoIterator<Item = (String, String)>) -> Result<Source, Faults> {
        let environment: BTreeMap<String, String> = pairs.into_iter().collect();
        let manual = manual::read(defaults)?;
        let file = match environment.get(CONFIG_FILE).filter(|path| !path.is_empty()) {
            Some(path) => tables::read_file(path).map_err(|problem| fault(CONFIG_FILE, problem))?,
            None => BTreeMap::new(),
        };
        Ok(Source { manual, environment, file, faults: Vec::new() })
    }

    /// The value of a setting. Where it is missing or wrong the fault is kept for
    /// [`finish`](Source::finish) and a placeholder is returned, so that all faults show at once.
    pub fn value<T: Setting>(&mut self, name: &'static str) -> T {
        // Spaces around a secret may be its own.
        let parsed =
            self.text(name, T::SECRET).and_then(|text| T::parse(if T::SECRET { &text } else { text.trim() }));
        parsed.unwrap_or_else(|problem| {
            self.fault(name, problem);
            T::placeholder()
        })
    }

    /// Reports a fault that only the owner of the setting can see.
    pub fn fault(&mut self, name: &str, problem: impl Into<String>) {
        self.faults.push(Fault { name: name.to_owned(), problem: problem.into() });
    }

    /// Ends the reading: all faults, or none. A program with faults prints them and exits with 2.
    pub fn finish(self) -> Result<(), Faults> {
        if self.faults.is_empty() { Ok(()) } else { Err(Faults(self.faults)) }
    }

    /// Every setting there is, in the order of the default files: what a table of settings is made of.
    pub fn manual(&self) -> &[Entry] {
        &self.manual
    }

    fn text(&self, name: &str, secret: bool) -> Result<String, String> {
        let Some(entry) = self.manual.iter().find(|entry| entry.name == name) else {
            return Err("no default file of this program documents it".to_owned());
        };
        for layer in [&self.environment, &self.file] {
            let path_name = format!("{name}_FILE");
            let path = if secret { layer.get(&path_name) } else { None };
            match (layer.get(name), path) {
                (Some(_), Some(_)) => {
                    return Err(format!("is given beside {path_name}, expected one of them"));
                }
                (Some(text), None) => return Ok(text.clone()),
                (None, Some(path)) => {
                    return tables::read_secret(path).map_err(|why| format!("{path_name}: {why}"));
                }
                (None, None) => {}
            }
        }
        Ok(entry.default.clone())
    }

    fn refuse_unknown_keys(&mut self) {
        let known = |key: &str| self.manual.iter().any(|entry| entry.name == key);
        let unknown: Vec<String> = self
            .file
            .keys()
            .filter(|key| !known(key) && !key.strip_suffix("_FILE").is_some_and(known))
            .cloned()
            .collect();
        for name in unknown {
            self.fault(&name, "is no setting of this program, expected one from its manual");
        }
        if self.file.contains_key(CONFIG_FILE) {
            self.fault(CONFIG_FILE, "stands in the file it names, expected in the environment only");
        }
    }
}

fn fault(name: &str, problem: String) -> Faults {
    Faults(vec![Fault { name: name.to_owned(), problem }])
}
