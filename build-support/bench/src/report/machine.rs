//! The machine of a report, as far as figures depend on it: no name, no address, no date.

use std::fs;

use crate::cpu;

/// Cores, kind of processor, kernel, and how the programs were built.
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name.trim());
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel: Vec<&str> = release.split('.').take(2).collect();
    let build =
        if cfg!(debug_assertions) { "debug build: the figures mean nothing" } else { "release build" };
    format!("{} cores of {processor}, Linux {}, {build}.", cpu::cores(), kernel.join("."))
}
