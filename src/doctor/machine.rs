//! Processor, memory, limits, and what happens at logout.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use crate::client::{Leaving, Surroundings};

/// Vector units that make a difference here, by their names in Linux's `/proc/cpuinfo`.
const VECTOR_UNITS: [&str; 7] = [
    "avx2",
    "fma",
    "avx512f",
    "avx512_bf16",
    "amx_bf16",
    "asimd",
    "bf16",
];

/// Files that a worker needs: its own, and two for each of some faces.
const LEAST_FILES: u64 = 64;

/// Processor, memory and limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MachineFacts {
    /// Name of the processor, if known.
    pub cpu: Option<String>,
    /// Its vector units that make a difference here.
    pub vector_units: Vec<String>,
    /// Cores of the machine, if known.
    pub cores: Option<usize>,
    /// Those on which this process may run (its affinity), if known.
    pub cores_by_affinity: Option<usize>,
    /// Those that it may keep busy: by affinity, and by a cgroup's quota of time.
    pub cores_usable: usize,
    /// Bytes of memory, if known.
    pub memory: Option<u64>,
    /// Bytes that are free, or can be made so, if known.
    pub memory_available: Option<u64>,
    /// Bytes that this process and its cgroup may use, if that is limited.
    pub memory_limit: Option<u64>,
    /// Files that a process may have open; `None` if that is not limited.
    pub open_files: Option<u64>,
}

/// What happens to a run when its user logs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logout {
    /// The Slurm job that this process belongs to.
    pub slurm_job: Option<String>,
    /// Whether this machine ends a user's processes at logout.
    pub kills_at_logout: bool,
    /// Whether the user's own services keep running after the last logout.
    pub lingers: bool,
    /// What the user should know.
    pub note: Option<String>,
}

impl MachineFacts {
    /// Looks at the machine.
    pub fn look() -> Self {
        let about_cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let about_memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let address_space = getrlimit(Resource::As).current;
        let memory_limit = [address_space, cgroup_memory()].into_iter().flatten().min();
        Self {
            cpu: entry(&about_cpu, "model name").map(str::to_owned),
            vector_units: vector_units(&about_cpu),
            cores: online(),
            cores_by_affinity: by_affinity(),
            cores_usable: available_parallelism().map_or(1, usize::from),
            memory: kilobytes(&about_memory, "MemTotal"),
            memory_available: kilobytes(&about_memory, "MemAvailable"),
            memory_limit,
            open_files: getrlimit(Resource::Nofile).current,
        }
    }

    /// Why training would fail.
    pub fn problem(&self) -> Option<String> {
        let files = self.open_files.filter(|files| *files < LEAST_FILES)?;
        Some(format!(
            "a process may have only {files} files open, and training needs up to {LEAST_FILES}: raise the limit with \
             `ulimit -n`"
        ))
    }
}

impl Logout {
    /// Looks at the machine.
    pub fn look() -> Self {
        let around = Surroundings::look();
        Self {
            note: Leaving::of(&around)
                .words()
                .map(|words| words.trim_start_matches("note: ").to_owned()),
            slurm_job: around.slurm_job,
            kills_at_logout: around.kills_at_logout,
            lingers: around.lingers,
        }
    }
}

/// The value of the first `name : value` of Linux's lists.
fn entry<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn vector_units(about_cpu: &str) -> Vec<String> {
    // x86 calls them flags, ARM features.
    let flags = entry(about_cpu, "flags").or_else(|| entry(about_cpu, "Features"));
    let flags: Vec<_> = flags.unwrap_or_default().split_whitespace().collect();
    VECTOR_UNITS
        .into_iter()
        .filter(|unit| flags.contains(unit))
        .map(str::to_owned)
        .collect()
}

fn kilobytes(about_memory: &str, name: &str) -> Option<u64> {
    let number = entry(about_memory, name)?.strip_suffix(" kB")?;
    number.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// The cores of the machine, as Linux lists them: `0-3,8`.
fn online() -> Option<usize> {
    listed(
        fs::read_to_string("/sys/devices/system/cpu/online")
            .ok()?
            .trim(),
    )
}

/// The cores of this process's affinity.
fn by_affinity() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    listed(entry(&status, "Cpus_allowed_list")?)
}

/// How many numbers a list of ranges has.
fn listed(ranges: &str) -> Option<usize> {
    ranges
        .split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            Some(last.checked_sub(first)? + 1)
        })
        .sum()
}

/// The least memory limit of this process's cgroup and those above it.
fn cgroup_memory() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    root.join(group)
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok())
        .filter_map(|limit| limit.trim().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: &str = "processor\t: 0\nmodel name\t: AMD EPYC 9354\nflags\t\t: fpu avx avx2 fma avx512f\n\nprocessor\t: 1\n";

    #[test]
    fn linux_lists_are_read() {
        assert_eq!(entry(CPU, "model name"), Some("AMD EPYC 9354"));
        assert_eq!(vector_units(CPU), ["avx2", "fma", "avx512f"]);
        assert_eq!(vector_units("Features : fp asimd bf16"), ["asimd", "bf16"]);
        assert!(vector_units("").is_empty());
        let memory = "MemTotal:       24604492 kB\nMemAvailable:   21000000 kB\n";
        assert_eq!(kilobytes(memory, "MemTotal"), Some(24_604_492 << 10));
        assert_eq!(kilobytes(memory, "SwapTotal"), None);
        assert_eq!(listed("0-3,8"), Some(5));
        assert_eq!(listed("0"), Some(1));
        assert_eq!(listed("3-1"), None);
        assert_eq!(listed(""), None);
    }

    #[test]
    fn too_few_open_files_are_told() {
        let with = |open_files| MachineFacts {
            open_files,
            ..MachineFacts::default()
        };
        assert_eq!(with(None).problem(), None);
        assert_eq!(with(Some(64)).problem(), None);
        assert!(with(Some(20)).problem().unwrap().contains("only 20 files"));
    }
}
