//! Runs on disk: the only truth that a face and a worker share.
//!
//! ```text
//! <home>/runs/<name>/
//!   config.toml      the resolved configuration
//!   events.jsonl     what happened, one record a line, only ever appended to
//!   samples/         picture grids
//!   checkpoints/     step-<step>.safetensors, best.safetensors
//!   worker.log       what the worker and libtorch said
//!   worker.json      where the latest worker is, and its socket
//!   failure.json     why the latest worker could not begin, if it could not
//!   lock             held while a worker has the run
//! ```

mod checkpoints;
mod directory;
mod error;
mod failure;
mod header;
mod history;
mod lock;
mod log;
mod presence;
mod tensor_file;
mod thinning;
mod timeline;
mod whole;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

pub use checkpoints::{Broken, Checkpoint, Intact};
pub use error::RunError;
pub use failure::Failure;
pub use header::CheckpointHeader;
pub use history::{History, Limit, Point};
pub use lock::Lock;
pub use log::{EventLog, read_records, read_tail};
pub use presence::{Presence, boot, host, secure_socket_dir, socket_dir};
pub use tensor_file::seal;
pub use timeline::{Dated, Limits, Saved, Timeline};
pub use whole::{ANYBODY, WRITING, folder_of, write_private, write_whole};

use crate::config::Config;
use crate::protocol::Phase;

/// The folder of all runs.
#[derive(Clone, Debug)]
pub struct Home {
    runs: PathBuf,
}

/// One run's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    name: String,
    dir: PathBuf,
}

/// What lock and log tell of a run.
#[derive(Clone, Debug)]
pub struct Status {
    /// The state in a word.
    pub state: State,
    /// What the end of its log tells.
    pub timeline: Timeline,
}

/// How much of the end of a log a [`Status`] keeps: enough for a sparkline.
const STATUS: Limits = {
    let few = Limit {
        recent: 32,
        older: 32,
    };
    Limits {
        reports: few,
        quality: few,
        files: few,
        notable: 32,
    }
};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No worker has trained it yet.
    New,
    /// A worker is training it.
    Running,
    /// A worker holds it and is paused.
    Paused,
    /// Its worker ended it.
    Ended,
    /// Its worker is gone without having ended it.
    Crashed,
}

impl State {
    /// The state in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Crashed => "crashed",
        }
    }
}

impl Home {
    /// The folder of runs: the one given, else `$SPARRING_HOME/runs`, else `runs` in the user's data directory.
    pub fn locate(runs_dir: Option<&Path>) -> Result<Self, RunError> {
        let runs = match (
            runs_dir,
            std::env::var_os("SPARRING_HOME").filter(|home| !home.is_empty()),
        ) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some(home)) => Path::new(&home).join("runs"),
            (None, None) => directories::ProjectDirs::from("", "", "sparring")
                .map(|dirs| dirs.data_dir().join("runs"))
                .ok_or(RunError::NoHome)?,
        };
        // The worker may have another working directory than the face.
        let runs =
            std::path::absolute(&runs).map_err(|error| RunError::io("find", &runs, error))?;
        Ok(Self { runs })
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.runs
    }

    /// All runs, the most recently changed one first.
    pub fn runs(&self) -> Result<Vec<Run>, RunError> {
        let entries = match fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RunError::io("read", &self.runs, error)),
        };
        let mut runs: Vec<_> = entries
            .filter_map(|entry| Run::open(&entry.ok()?.path()))
            // Not one that is being made or removed.
            .filter(|run| is_name(&run.name))
            .map(|run| (run.last_started(), run))
            .collect();
        runs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// The run of this name, or at this path, or the latest one when no name is given.
    pub fn find(&self, name: Option<&str>) -> Result<Run, RunError> {
        let known = || {
            self.runs()
                .map(|runs| runs.into_iter().map(|run| run.name).collect::<Vec<_>>())
        };
        let Some(name) = name else {
            return self
                .runs()?
                .into_iter()
                .next()
                .ok_or_else(|| RunError::NoRuns {
                    home: self.runs.clone(),
                });
        };
        let by_path = || {
            name.contains('/')
                .then(|| std::path::absolute(name).ok())
                .flatten()
        };
        Run::open(&self.runs.join(name))
            .filter(|_| is_name(name))
            .or_else(|| by_path().and_then(|path| Run::open(&path)))
            .map_or_else(
                || match known()? {
                    known if known.is_empty() => Err(RunError::NoRuns {
                        home: self.runs.clone(),
                    }),
                    known => Err(RunError::NoSuchRun {
                        name: name.to_owned(),
                        known,
                    }),
                },
                Ok,
            )
    }
}

/// Whether a text is a valid name of a run: letters, digits, `-`, `_` and `.`, not beginning with `.` or `-`.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain) && !text.starts_with(['.', '-'])
}

impl Run {
    /// The run in this directory, if it is one.
    pub fn open(dir: &Path) -> Option<Self> {
        let name = dir.file_name()?.to_str()?.to_owned();
        dir.join("config.toml").is_file().then(|| Self {
            name,
            dir: dir.to_owned(),
        })
    }

    /// A run that is being made or removed, under a hidden name.
    fn open_unfinished(name: &str, dir: &Path) -> Self {
        Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
        }
    }

    /// The run's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// Its log of events.
    pub fn events_file(&self) -> PathBuf {
        self.dir.join("events.jsonl")
    }

    /// What its worker said.
    pub fn worker_log(&self) -> PathBuf {
        self.dir.join("worker.log")
    }

    /// Opens [`Run::worker_log`] to append to it.
    pub fn append_to_worker_log(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.worker_log())
    }

    /// Its picture grids.
    pub fn samples_dir(&self) -> PathBuf {
        self.dir.join("samples")
    }

    /// Its checkpoints.
    pub fn checkpoints_dir(&self) -> PathBuf {
        self.dir.join("checkpoints")
    }

    /// Its configuration.
    pub fn config(&self) -> Result<Config, RunError> {
        Ok(Config::load(&self.config_file())?)
    }

    /// Replaces its configuration file.
    pub fn write_config(&self, config: &Config) -> Result<(), RunError> {
        let path = self.config_file();
        let text = config.to_toml()?;
        write_private(&path, |file| io::Write::write_all(file, text.as_bytes()))
            .map(drop)
            .map_err(|error| RunError::io("write", &path, error))
    }

    /// Reads the lock and the end of the log.
    pub fn status(&self) -> Status {
        // The lock comes first: a worker that ends in between has then written its end into the log.
        let held = self.holder().is_some();
        let mut timeline = Timeline::read_end(&self.events_file(), STATUS);
        let state = match (held, timeline.phase) {
            (true, Phase::Paused) => State::Paused,
            (true, _) => State::Running,
            (false, _) if timeline.ended.is_some() => State::Ended,
            (false, _) if timeline.time.is_some() => State::Crashed,
            (false, _) => State::New,
        };
        if held {
            // That was an earlier worker.
            timeline.ended = None;
        }
        Status { state, timeline }
    }

    /// When its latest worker began: of two that train, the order must not change with each report.
    fn last_started(&self) -> std::time::SystemTime {
        let changed = |path: PathBuf| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        changed(self.presence_file())
            .or_else(|| changed(self.config_file()))
            .unwrap_or(std::time::UNIX_EPOCH)
    }
}
