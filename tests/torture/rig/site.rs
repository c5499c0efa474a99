//! The folder of one case, and the programs in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sparring_contract::run::{Home, Run};

use super::process::{Ran, run_to_the_end};
use super::shadow::{Shadow, Survives};
use super::shim::Shim;

/// The name of the run.
pub const NAME: &str = "otter";

/// The step at which the job ends.
pub const LAST_STEP: u64 = 60;

/// Layers with which sixty steps take a tenth of a second, and files all the time.
const SETTINGS: [&str; 12] = [
    "preset=tutorial",
    "generator.hidden=[160]",
    "discriminator.hidden=[160]",
    "test_fraction=0",
    "threads=1",
    "health.time_fraction=1",
    "output.report_every_seconds=0.05",
    "output.checkpoint_every_steps=10",
    "output.checkpoint_every_epochs=0",
    "output.keep_checkpoints=2",
    "output.sample_every_steps=20",
    "output.sample_every_epochs=0",
];

/// A home for runs of its own.
#[derive(Debug)]
pub struct Site {
    folder: tempfile::TempDir,
    data: PathBuf,
}

impl Site {
    /// An empty home within a folder.
    pub fn within(base: &Path, data: &Path) -> Self {
        let site = Self {
            folder: tempfile::tempdir_in(base).unwrap(),
            data: data.to_owned(),
        };
        fs::create_dir(site.home()).unwrap();
        site
    }

    /// The home: what programs write lies under it.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path outside of the home.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A watch over the home that begins now.
    pub fn watch(&self) -> Shim {
        Shim::watching(&self.home(), self.beside("calls"))
    }

    /// Notes on what would survive a power cut, beginning now.
    pub fn shadow(&self) -> Shadow {
        let notes = self.beside("shadow");
        let _ = fs::remove_dir_all(&notes);
        Shadow::of(&self.home(), notes)
    }

    /// A command of the face, without anything from the caller's environment that could change what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sparring"));
        let elsewhere = self.beside("user");
        command
            .args(arguments)
            .env("SPARRING_HOME", self.home())
            .env("HOME", &elsewhere)
            .env("XDG_CONFIG_HOME", elsewhere.join("config"))
            .env("XDG_CACHE_HOME", elsewhere.join("cache"))
            .env("LC_ALL", "C.UTF-8")
            .env("OMP_NUM_THREADS", "1")
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR");
        command
    }

    /// Runs a command of the face.
    pub fn sparring(&self, arguments: &[&str]) -> Ran {
        run_to_the_end(self.command(arguments))
    }

    /// The job as a batch system starts it, and starts it again after a failure.
    pub fn job(&self) -> Command {
        self.job_of(LAST_STEP)
    }

    /// The job with another last step.
    pub fn job_of(&self, steps: u64) -> Command {
        let mut job = self.watched_job(steps);
        job.arg("--json");
        job
    }

    /// The job behind a dashboard, if it has a terminal.
    pub fn watched_job(&self, steps: u64) -> Command {
        let mut command = self.command(&["train", "--name", NAME, "--resume-if-exists"]);
        command.args(["--steps", &steps.to_string(), "--data"]);
        command.arg(&self.data);
        for setting in SETTINGS {
            command.args(["--set", setting]);
        }
        command
    }

    /// The run, if there is one.
    pub fn run(&self) -> Option<Run> {
        Home::locate(Some(&self.home().join("runs")))
            .unwrap()
            .find(Some(NAME))
            .ok()
    }

    /// Waits until no process of this home is left: a worker outlives the face that started it.
    pub fn becomes_quiet(&self) {
        let home = format!("SPARRING_HOME={}", self.home().display());
        let begun = Instant::now();
        while is_anybody_with(&home) {
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "a process is left"
            );
            // The end of a process that is no child is no event that could be waited for.
            sleep(Duration::from_millis(20));
        }
    }

    /// Copies a home from elsewhere over this one.
    pub fn fill_from(&self, home: &Path) {
        self.clear();
        for entry in fs::read_dir(home).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &self.home().join(entry.file_name()));
        }
    }

    /// Empties the home.
    pub fn clear(&self) {
        for entry in fs::read_dir(self.home()).unwrap() {
            fs::remove_dir_all(entry.unwrap().path()).unwrap();
        }
    }

    /// Replaces the home by what a power cut left of it; another time, by what it left otherwise.
    pub fn lose_power(&self, shadow: &Shadow, survives: Survives) {
        let before = self.beside("before");
        if before.exists() {
            fs::remove_dir_all(self.home()).unwrap();
        } else {
            fs::rename(self.home(), &before).unwrap();
        }
        shadow.rebuild(&before, survives, &self.home());
    }

    /// Every file and folder in the home, by its path in it.
    pub fn entries(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.home(), "", &mut found);
        found.sort();
        found
    }
}

/// Whether a process has this in its environment.
fn is_anybody_with(variable: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|it| it == variable.as_bytes())
    })
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn list(folder: &Path, above: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{name}/"), found);
        }
        found.push(name);
    }
}
