//! The library that counts what a process does to the files under a folder, and disturbs it: shim.c says how.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use rustix::io::Errno;

use super::library::compiled;

const SOURCE: &str = include_str!("shim.c");

/// The layout of the mapped file, as shim.c has it.
const HEADER: usize = 64;
const ENTRY: usize = 192;
const OP: usize = 12;
const PATH: usize = 16;
const ENTRIES: usize = 8192;
const CLOCK: u64 = 8;

/// How calls are disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One fails: for want of room or because the disk is broken, by turns.
    Once,
    /// One fails, for the other reason.
    Other,
    /// The disk is full from there on: half of a write fits, and then whatever takes room fails.
    Full,
    /// The same for a dozen calls; then there is room again.
    Spell,
    /// Everything fails from there on.
    Dead,
    /// The process is killed before the call.
    Kill,
    /// The process is killed when half of a write, or the whole of another call, is done.
    Half,
    /// The machine loses power before the call.
    Power,
    /// A read fails.
    Read,
}

impl Mode {
    pub const ALL: [Self; 9] = [
        Self::Once,
        Self::Other,
        Self::Full,
        Self::Spell,
        Self::Dead,
        Self::Kill,
        Self::Half,
        Self::Power,
        Self::Read,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Other => "other",
            Self::Full => "full",
            Self::Spell => "spell",
            Self::Dead => "dead",
            Self::Kill => "kill",
            Self::Half => "half",
            Self::Power => "power",
            Self::Read => "read",
        }
    }

    /// Whether the process is killed.
    pub fn kills(self) -> bool {
        matches!(self, Self::Kill | Self::Half | Self::Power)
    }
}

/// A disturbance: `kill:37` kills the process before call number 37.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disturbance {
    pub mode: Mode,
    pub at: u32,
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.mode.word(), self.at)
    }
}

impl FromStr for Disturbance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no disturbance such as kill:37");
        let (word, at) = text.split_once(':').ok_or_else(wrong)?;
        let mode = Mode::ALL.into_iter().find(|mode| mode.word() == word);
        Ok(Self {
            mode: mode.ok_or_else(wrong)?,
            at: at.parse().map_err(|_| wrong())?,
        })
    }
}

/// A call that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub op: String,
    /// Below the watched folder.
    pub path: String,
    /// The errno with which it was made to fail; -1: the process was killed at it.
    pub failed: i32,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op, self.path)
    }
}

/// Watches the processes of one command.
#[derive(Debug)]
pub struct Shim {
    folder: PathBuf,
    state: PathBuf,
}

impl Shim {
    /// Watches a folder; what is seen is noted in the file `state`.
    pub fn watching(folder: &Path, state: PathBuf) -> Self {
        let file = File::create(&state).unwrap();
        file.set_len((HEADER + ENTRIES * ENTRY) as u64).unwrap();
        Self {
            folder: folder.to_owned(),
            state,
        }
    }

    /// Puts a command, and what it starts, under watch.
    pub fn on(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", compiled("shim", SOURCE))
            .env("SHIM_FOLDER", &self.folder)
            .env("SHIM_STATE", &self.state);
    }

    /// Disturbs a command under watch.
    pub fn disturb(command: &mut Command, disturbance: Disturbance) {
        let Disturbance { mode, at } = disturbance;
        let errno = match mode {
            Mode::Once if at % 2 == 0 => Errno::NOSPC,
            Mode::Other if at % 2 == 1 => Errno::NOSPC,
            _ => Errno::IO,
        };
        let word = match mode {
            // To lose power is to be killed, and then to lose what is not durable.
            Mode::Power => Mode::Kill.word(),
            Mode::Other => Mode::Once.word(),
            mode => mode.word(),
        };
        command
            .env("SHIM_MODE", word)
            .env("SHIM_AT", at.to_string())
            .env("SHIM_ERROR", errno.raw_os_error().to_string());
    }

    /// Makes every read of files whose path contains this fail.
    pub fn spoil_reads(command: &mut Command, matching: &str) {
        command
            .env("SHIM_MODE", Mode::Read.word())
            .env("SHIM_MATCH", matching);
    }

    /// Sets the wall clock of the processes under watch ahead.
    pub fn set_clock_ahead(&self, seconds: i64) {
        let state = File::options().write(true).open(&self.state).unwrap();
        state.write_all_at(&seconds.to_ne_bytes(), CLOCK).unwrap();
    }

    /// How many calls there were.
    pub fn count(&self) -> u32 {
        number(&fs::read(&self.state).unwrap()[..4]).cast_unsigned()
    }

    /// The calls in their order.
    pub fn calls(&self) -> Vec<Call> {
        let state = fs::read(&self.state).unwrap();
        let count = (self.count() as usize).clamp(1, ENTRIES);
        state[HEADER..]
            .chunks_exact(ENTRY)
            .take(count)
            .map(|entry| Call {
                op: text(&entry[..OP]),
                failed: number(&entry[OP..PATH]),
                path: text(&entry[PATH..]),
            })
            .filter(|call| !call.op.is_empty())
            .collect()
    }

    /// The first call that was disturbed.
    pub fn struck(&self) -> Option<Call> {
        self.calls().into_iter().find(|call| call.failed != 0)
    }
}

fn number(bytes: &[u8]) -> i32 {
    i32::from_ne_bytes(bytes.try_into().unwrap())
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
