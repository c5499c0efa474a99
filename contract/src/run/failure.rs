//! Why a worker could not begin to train: `failure.json` in the run's directory.

use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::{Run, write_private};

/// The error with which a worker ended before it had anything to report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The worker's process. A face compares it with the worker that it started: the file can be left over.
    pub pid: u32,
    /// What went wrong, where, and what to do, in one line.
    pub message: String,
}

impl Run {
    /// The failure that the worker with this process id left behind.
    pub fn failure_of(&self, pid: u32) -> Option<Failure> {
        let failure: Failure = serde_json::from_slice(&fs::read(self.failure_file()).ok()?).ok()?;
        (failure.pid == pid).then_some(failure)
    }

    /// Leaves the error of this worker for the face that started it.
    pub fn write_failure(&self, message: &str) -> io::Result<()> {
        let text = serde_json::to_vec(&Failure {
            pid: std::process::id(),
            message: message.to_owned(),
        })?;
        write_private(&self.failure_file(), |file| {
            io::Write::write_all(file, &text)
        })
        .map(drop)
    }

    fn failure_file(&self) -> std::path::PathBuf {
        self.dir().join("failure.json")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Home;
    use crate::config::{Request, resolve};

    #[test]
    fn a_failure_belongs_to_the_worker_that_left_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = resolve(&Request::default()).unwrap().config;
        let home = Home::locate(Some(folder.path())).unwrap();
        let run = home.create(Some("otter"), &config).unwrap();
        let pid = std::process::id();
        assert_eq!(run.failure_of(pid), None);
        let message = "cannot read images: \"error: \" is part of the name";
        run.write_failure(message).unwrap();
        assert_eq!(run.failure_of(pid).unwrap().message, message);
        assert_eq!(run.failure_of(pid + 1), None);
    }
}
