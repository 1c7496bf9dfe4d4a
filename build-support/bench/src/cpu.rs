//! Where the machine's CPU time went: to this process, to each program it has started with all that descend
//! from it, or elsewhere. Read from `/proc`, in which the kernel counts in ticks of some milliseconds.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::{Duration, Instant};

use crate::Failure;

/// This process among the programs.
pub const LOAD: &str = "load";

/// The kernel tells user space of a hundred ticks a second, whatever its own clock does (`USER_HZ`).
const TICK_MILLIS: u64 = 10;

/// The time used so far.
#[derive(Clone, Debug)]
pub struct Reading {
    at: Instant,
    programs: BTreeMap<String, Duration>,
    /// By everything on the machine, and by those who share it with us.
    machine: Duration,
}

/// The time used between two readings.
#[derive(Clone, Debug)]
pub struct Spent {
    /// How long that was.
    pub elapsed: Duration,
    programs: BTreeMap<String, Duration>,
    /// The share of all cores that was used by what this run has not started.
    pub elsewhere: f64,
}

/// One line of `/proc/<pid>/stat`.
struct Process {
    name: String,
    parent: u32,
    /// Its own time, and that of children it has waited for.
    used: Duration,
}

impl Reading {
    /// Reads the clocks.
    pub fn take() -> Result<Self, Failure> {
        let processes = processes()?;
        let mut programs = BTreeMap::new();
        for (&pid, process) in &processes {
            if let Some(program) = program(pid, &processes) {
                *programs.entry(program).or_default() += process.used;
            }
        }
        Ok(Self { at: Instant::now(), programs, machine: machine()? })
    }

    /// What was used since an earlier reading.
    pub fn since(&self, before: &Self) -> Spent {
        let elapsed = self.at - before.at;
        let used = |(name, used): (&String, &Duration)| {
            let earlier = before.programs.get(name).copied().unwrap_or_default();
            (name.clone(), used.saturating_sub(earlier))
        };
        let programs: BTreeMap<String, Duration> = self.programs.iter().map(used).collect();
        let ours: Duration = programs.values().sum();
        let others = self.machine.saturating_sub(before.machine).saturating_sub(ours);
        let elsewhere = others.as_secs_f64() / (elapsed.as_secs_f64() * f64::from(cores()));
        Spent { elapsed, programs, elsewhere }
    }
}

impl Spent {
    /// What a program used; none where there was no such program.
    pub fn by(&self, program: &str) -> Option<Duration> {
        self.programs.get(program).copied()
    }

    /// What this process and all it started used.
    pub fn by_all(&self) -> Duration {
        self.programs.values().sum()
    }
}

/// How many cores there are.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

/// The memory that each program holds, in KiB.
pub fn resident() -> Result<BTreeMap<String, u32>, Failure> {
    let processes = processes()?;
    let mut held = BTreeMap::new();
    for &pid in processes.keys() {
        let Some(program) = program(pid, &processes) else { continue };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u32>().ok());
        *held.entry(program).or_default() += kib.unwrap_or(0);
    }
    Ok(held)
}

/// The program that a process belongs to: of its ancestors the one that we started.
fn program(pid: u32, processes: &HashMap<u32, Process>) -> Option<String> {
    let own = std::process::id();
    if pid == own {
        return Some(LOAD.to_owned());
    }
    let mut process = processes.get(&pid)?;
    while process.parent != own {
        process = processes.get(&process.parent)?;
    }
    Some(process.name.clone())
}

fn processes() -> Result<HashMap<u32, Process>, Failure> {
    let entries = fs::read_dir("/proc")?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One that has ended meanwhile is left out; its parent has its time.
    Ok(pids.filter_map(|pid| Some((pid, Process::read(pid)?))).collect())
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads `pid (name) state parent …`; the name may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (head, tail) = stat.rsplit_once(") ")?;
        let name = head.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = tail.split(' ').collect();
        let ticks: u64 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Self { name, parent: fields.get(1)?.parse().ok()?, used: time(ticks) })
    }
}

/// The time that all cores together were not idle.
fn machine() -> Result<Duration, Failure> {
    const IDLE: [usize; 2] = [3, 4];
    let stat = fs::read_to_string("/proc/stat")?;
    let line =
        stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).ok_or("no cpu in /proc/stat")?;
    // Beyond the eighth come guests, who are counted as users already.
    let fields = line.split_whitespace().take(8).enumerate().filter(|(index, _)| !IDLE.contains(index));
    Ok(time(fields.filter_map(|(_, field)| field.parse::<u64>().ok()).sum()))
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * TICK_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read_whatever_the_name() {
        let line = "7 (a) b (c)) S 3 7 7 0 -1 0 1 2 3 4 100 50 7 3 20 0 1 0 9 8";
        let process = Process::parse(line).unwrap();
        assert_eq!((process.name.as_str(), process.parent), ("a) b (c)", 3));
        assert_eq!(process.used, time(160));
        assert!(Process::parse("7 (a) S").is_none());
    }

    #[test]
    fn time_used_here_is_ours_and_not_elsewhere() {
        let before = Reading::take().unwrap();
        let until = Instant::now() + Duration::from_millis(200);
        while Instant::now() < until {}
        let spent = Reading::take().unwrap().since(&before);
        assert!(spent.by(LOAD).unwrap() > Duration::ZERO);
        assert_eq!(spent.by("nobody"), None);
    }
}
