//! The values that completion suggests for flags and arguments: runs, presets, words of the configuration.
//!
//! Nothing here says what is wrong: nobody asked, and the line that is being typed is not the place.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};
use sparring_contract::config::{Change, KEYS, Key, Kind, PRESETS, Preset};
use sparring_contract::run::{Home, Run};

/// The flag that says where runs are.
const RUNS_DIR: &str = "--runs-dir";

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash 4.4 or later
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// The runs, the latest first.
pub(super) fn runs() -> Vec<CompletionCandidate> {
    names(|_| true)
}

/// The runs that are training.
pub(super) fn live_runs() -> Vec<CompletionCandidate> {
    names(|run| run.holder().is_some())
}

/// Runs, and checkpoint files.
pub(super) fn run_or_file(typed: &OsStr) -> Vec<CompletionCandidate> {
    or_file(runs(), typed)
}

/// Masks, and pictures of masks.
pub(super) fn mask_or_file(typed: &OsStr) -> Vec<CompletionCandidate> {
    or_file(values("repair.mask"), typed)
}

/// The presets.
pub(super) fn presets() -> Vec<CompletionCandidate> {
    let candidate =
        |preset: &Preset| CompletionCandidate::new(preset.name).help(Some(preset.summary().into()));
    PRESETS.iter().map(candidate).collect()
}

/// The devices of most machines.
pub(super) fn devices() -> Vec<CompletionCandidate> {
    ["auto", "cpu", "cuda"].map(CompletionCandidate::new).into()
}

/// The words or numbers that a key takes.
pub(super) fn values(key: &str) -> Vec<CompletionCandidate> {
    match KEYS
        .iter()
        .find(|known| known.name == key)
        .map(|key| key.kind)
    {
        Some(Kind::Choice(words)) => words.iter().map(CompletionCandidate::new).collect(),
        // 0 is a default that has no flag.
        Some(Kind::OneOf(numbers)) => numbers
            .iter()
            .filter(|number| **number != 0)
            .map(|number| CompletionCandidate::new(number.to_string()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Every key, to be set.
pub(super) fn keys() -> Vec<CompletionCandidate> {
    settings(|_| true)
}

/// The keys that may change while a run trains, to be set.
pub(super) fn live_keys() -> Vec<CompletionCandidate> {
    settings(|key| key.change == Change::Live)
}

fn settings(wanted: fn(&Key) -> bool) -> Vec<CompletionCandidate> {
    let keys = KEYS.iter().filter(|key| wanted(key));
    keys.map(|key| CompletionCandidate::new(format!("{}=", key.name)))
        .collect()
}

fn or_file(mut words: Vec<CompletionCandidate>, typed: &OsStr) -> Vec<CompletionCandidate> {
    words.retain(|word| {
        let word = word.get_value().as_encoded_bytes();
        word.starts_with(typed.as_encoded_bytes())
    });
    words.extend(PathCompleter::any().complete(typed));
    words
}

/// The names of runs.
fn names(wanted: fn(&Run) -> bool) -> Vec<CompletionCandidate> {
    let home = Home::locate(runs_dir().as_deref());
    let runs = home.and_then(|home| home.runs()).unwrap_or_default();
    runs.iter()
        .filter(|run| wanted(run))
        .map(|run| CompletionCandidate::new(run.name()))
        .collect()
}

/// The folder of runs that the line being completed names. Bash takes `--runs-dir=DIR` for three words.
fn runs_dir() -> Option<PathBuf> {
    let mut words =
        env::args_os().skip_while(|word| !word.as_encoded_bytes().starts_with(RUNS_DIR.as_bytes()));
    let flag = words.next()?;
    match flag.to_str().and_then(|flag| flag.split_once('=')) {
        Some((_, folder)) => Some(PathBuf::from(folder)),
        None => words.find(|word| word != "=").map(PathBuf::from),
    }
}
