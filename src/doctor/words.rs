//! The findings on a screen.

use sparring_contract::protocol::{DeviceFacts, Examination};
use sparring_contract::text::{printable, size};
use unicode_width::UnicodeWidthStr;

use super::{Findings, Folder, FolderUse, Logout, MachineFacts, TerminalFacts};

/// Columns of what a line is about.
const NAME: usize = 11;

/// A line about one thing: facts that are told one after the other.
struct Entry {
    name: String,
    /// Whether it stands in the way of training.
    is_problem: bool,
    facts: Vec<String>,
}

impl Entry {
    fn new(name: &str, facts: impl IntoIterator<Item = String>) -> Self {
        Self {
            name: name.to_owned(),
            is_problem: false,
            facts: facts.into_iter().collect(),
        }
    }

    /// Adds why something does not work.
    fn with(mut self, failure: Option<&String>) -> Self {
        self.is_problem |= failure.is_some();
        self.facts.extend(failure.cloned());
        self
    }
}

/// The findings for a terminal of this width, and whether training would work. `unicode` says whether it shows more
/// than ASCII.
pub fn lines(findings: &Findings, width: u16, unicode: bool) -> Vec<String> {
    let entries = entries(findings);
    let mut lines = vec![format!(
        "sparring {}, build {}",
        findings.version, findings.build
    )];
    let (separator, problem) = if unicode {
        (" · ", "✗ ")
    } else {
        ("; ", "! ")
    };
    for entry in &entries {
        lines.extend(wrapped(entry, usize::from(width), separator, problem));
    }
    let problems = findings.problems();
    lines.push(String::new());
    if problems.is_empty() {
        lines.push("Training would work.".to_owned());
    } else {
        lines.push("Training would fail:".to_owned());
        lines.extend(problems.iter().map(|problem| format!("  {problem}")));
    }
    lines.iter().map(|line| printable(line)).collect()
}

fn entries(findings: &Findings) -> Vec<Entry> {
    let mut entries = match &findings.worker.examination {
        Some(found) => examined(found),
        None => vec![Entry::new("libtorch", []).with(findings.worker.failure.as_ref())],
    };
    entries.extend([
        cpu(&findings.machine, findings.settings.threads),
        memory(&findings.machine),
        terminal(&findings.terminal),
    ]);
    entries.extend(findings.folders.iter().map(folder));
    let file = findings.settings.file.as_ref();
    let file = file.map(|file| file.display().to_string());
    let missing = (!findings.settings.exists).then(|| "not there, which is fine".to_owned());
    entries.push(
        Entry::new("settings", file.into_iter().chain(missing))
            .with(findings.settings.failure.as_ref()),
    );
    entries.push(logout(&findings.logout));
    entries
}

fn examined(found: &Examination) -> Vec<Entry> {
    let libtorch = &found.libtorch;
    let version = libtorch.version.as_deref().unwrap_or("of unknown version");
    let mut entries = vec![Entry::new(
        "libtorch",
        [
            version.to_owned(),
            match (&libtorch.cuda, libtorch.architectures.as_str()) {
                (None, _) => "without CUDA".to_owned(),
                (Some(cuda), "") => format!("with CUDA {cuda}"),
                (Some(cuda), names) => format!("with CUDA {cuda} for {names}"),
            },
            format!("CPU kernels for {}", libtorch.cpu_capability),
            format!("matrix products with {}", libtorch.products),
        ]
        .into_iter()
        .chain(
            libtorch
                .library
                .iter()
                .map(|file| file.display().to_string()),
        ),
    )];
    let version = found.driver.as_ref().map(|driver| {
        let runs = format!("runs CUDA {}", driver.cuda);
        match &driver.version {
            Some(version) => format!("{version}, {runs}"),
            None => runs,
        }
    });
    entries.push(Entry::new(
        "driver",
        version.into_iter().chain(found.no_cuda.clone()),
    ));
    entries.extend(found.devices.iter().map(device));
    let choice = &found.choice;
    let asked = &choice.asked;
    entries.push(match &choice.device {
        Some(device) if device == asked => Entry::new("device", [format!("{device}, as asked")]),
        Some(device) => Entry::new(
            "device",
            [format!("{asked} takes {device}")]
                .into_iter()
                .chain(choice.reason.clone()),
        ),
        None => Entry::new("device", []).with(choice.reason.as_ref()),
    });
    entries
}

fn device(device: &DeviceFacts) -> Entry {
    let memory = match device.memory_free {
        Some(free) => format!(
            "{} of {} free",
            size(free as f64),
            size(device.memory as f64)
        ),
        None => size(device.memory as f64),
    };
    let mode = match device.mode.as_str() {
        "shared" => None,
        mode => Some(format!("{mode} mode")),
    };
    let result = match &device.failure {
        None => format!("computes ({:.1} s to begin)", device.seconds),
        Some(failure) => failure.clone(),
    };
    let facts = [device.name.clone(), device.architecture.clone(), memory];
    Entry::new(
        &device.device,
        facts
            .into_iter()
            .chain(mode)
            .chain((device.mig == Some(true)).then(|| "divided (MIG)".to_owned()))
            .chain([result, device.uuid.clone()]),
    )
}

fn cpu(machine: &MachineFacts, threads: u32) -> Entry {
    let name = machine.cpu.clone();
    let usable = machine.cores_usable;
    let affinity = machine.cores_by_affinity.unwrap_or(usable);
    let cores = match machine.cores {
        Some(all) if all > usable && affinity > usable => {
            format!("{usable} of {all} cores usable (cgroup quota)")
        }
        Some(all) if all > usable => format!("{usable} of {all} cores usable (affinity)"),
        _ => plural(usable, "core"),
    };
    let units = machine.vector_units.join(" ");
    Entry::new(
        "CPU",
        name.into_iter()
            .chain([cores, plural(threads as usize, "thread")])
            .chain((!units.is_empty()).then_some(units)),
    )
}

fn memory(machine: &MachineFacts) -> Entry {
    let bytes =
        |bytes: Option<u64>, what: &str| bytes.map(|bytes| format!("{}{what}", size(bytes as f64)));
    let limit = machine.memory_limit;
    Entry::new(
        "memory",
        [
            bytes(machine.memory, ""),
            bytes(machine.memory_available, " available"),
            limit.map(|bytes| format!("this process may use {}", size(bytes as f64))),
            machine
                .open_files
                .map(|files| format!("{files} open files")),
        ]
        .into_iter()
        .flatten(),
    )
    .with(machine.problem().as_ref())
}

fn terminal(found: &TerminalFacts) -> Entry {
    if !found.is_terminal {
        let none = "the output is none, so training would print plain lines";
        return Entry::new("terminal", [none.to_owned()]);
    }
    let colors = match found.colors {
        0 => "no colours".to_owned(),
        0x100_0000 => "24-bit colour".to_owned(),
        number => format!("{number} colours"),
    };
    let letters = if found.unicode {
        "Unicode"
    } else {
        "ASCII only"
    };
    let by = if found.unicode { '×' } else { 'x' };
    let pictures = match found.pictures {
        "half" => "half blocks",
        "ascii" => "letters",
        "braille" => "braille",
        _ => "pixels",
    };
    Entry::new(
        "terminal",
        [
            format!("{}{by}{}", found.columns, found.rows),
            format!("{colors} ({})", found.colors_because),
            format!("{letters} ({})", found.unicode_because),
            format!("pictures in {pictures} ({})", found.pictures_because),
        ],
    )
}

fn folder(folder: &Folder) -> Entry {
    let name = match folder.for_what {
        FolderUse::Runs => "runs",
        FolderUse::Sockets => "sockets",
        FolderUse::Cache => "cache",
        FolderUse::Judges => "judges",
    };
    let path = folder.path.display().to_string();
    let Some(failure) = &folder.failure else {
        let free = folder
            .free
            .map(|free| format!("{} free", size(free as f64)));
        return Entry::new(name, [path].into_iter().chain(free));
    };
    Entry {
        is_problem: folder.for_what.is_needed(),
        ..Entry::new(name, [failure.clone()])
    }
}

fn logout(found: &Logout) -> Entry {
    let job = found.slurm_job.as_ref();
    let job = job.map(|job| format!("Slurm job {job}"));
    let goes_on = || {
        if found.lingers {
            "training goes on (you linger)".to_owned()
        } else {
            "training goes on".to_owned()
        }
    };
    let what = found.note.clone().unwrap_or_else(goes_on);
    Entry::new("at logout", job.into_iter().chain([what]))
}

fn plural(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// An entry in lines of at most `width` columns, as far as its words allow, broken between its facts and else at spaces.
fn wrapped(entry: &Entry, width: usize, separator: &str, problem: &str) -> Vec<String> {
    let mark = if entry.is_problem { problem } else { "  " };
    let mut lines = Vec::new();
    let mut line = format!("{mark}{:NAME$}", entry.name);
    let indent = mark.width() + NAME;
    let mut is_empty = true;
    let mut put = |line: &mut String, between: &str, words: &str| {
        if is_empty {
            line.push_str(words);
        } else if line.width() + between.width() + words.width() <= width {
            line.push_str(between);
            line.push_str(words);
        } else {
            let next = format!("{:indent$}{words}", "");
            lines.push(std::mem::replace(line, next));
        }
        is_empty = false;
    };
    for fact in &entry.facts {
        if indent + fact.width() <= width {
            put(&mut line, separator, fact);
            continue;
        }
        for (index, word) in fact.split(' ').enumerate() {
            put(&mut line, if index == 0 { separator } else { " " }, word);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests;
