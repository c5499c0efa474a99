use std::path::PathBuf;

use serde::Serialize;
use sparring_contract::protocol::Examination;

use super::{Folder, Logout, MachineFacts, TerminalFacts};

/// All that was found out.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Version of this program.
    pub version: &'static str,
    /// Identifies its sources.
    pub build: &'static str,
    /// The program that computes.
    pub worker: WorkerFacts,
    /// Processor, memory and limits.
    pub machine: MachineFacts,
    /// What stdout can show.
    pub terminal: TerminalFacts,
    /// The user's configuration.
    pub settings: Settings,
    /// Where things are kept.
    pub folders: Vec<Folder>,
    /// What happens to a run when its user logs out.
    pub logout: Logout,
}

/// The program that computes, and what it found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct WorkerFacts {
    /// What it found.
    pub examination: Option<Examination>,
    /// Why it found nothing.
    pub failure: Option<String>,
}

/// The user's configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// The user's file, if a home directory is known.
    pub file: Option<PathBuf>,
    /// Whether it exists.
    pub exists: bool,
    /// What is wrong with it, or with the flag `--device`.
    pub failure: Option<String>,
    /// The threads with which training would compute.
    pub threads: u32,
}

impl Findings {
    /// Why training would fail, a line each.
    pub fn problems(&self) -> Vec<String> {
        let examination = self.worker.examination.as_ref();
        let device = examination.and_then(|found| match &found.choice.device {
            Some(_) => None,
            None => found.choice.reason.clone(),
        });
        let folders = self
            .folders
            .iter()
            .filter(|folder| folder.for_what.is_needed())
            .filter_map(|folder| folder.failure.clone());
        [
            self.worker.failure.clone(),
            self.settings.failure.clone(),
            device,
        ]
        .into_iter()
        .flatten()
        .chain(folders)
        .chain(self.machine.problem())
        .collect()
    }
}
