//! How training ends.

use std::path::PathBuf;

use sparring_contract::exit;
use sparring_contract::protocol::{Ended, Reason, Stats};

/// Why training ends, and whether to save the state first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) reason: Reason,
    /// Whether to save a checkpoint.
    pub(super) save: bool,
    /// What went wrong.
    pub(super) message: Option<String>,
}

impl End {
    /// An end that saves the state first.
    pub(super) fn saving(reason: Reason) -> Self {
        Self {
            reason,
            save: true,
            message: None,
        }
    }

    /// Whether there is time for more than saving. A signal asks for the end now.
    pub(super) fn has_time(&self) -> bool {
        matches!(self.reason, Reason::Finished | Reason::Stopped)
    }

    /// What is reported about the end, with the newest checkpoint and the last metrics. `saved` is false when the state
    /// should have been saved and could not be.
    pub(super) fn report(self, saved: bool, checkpoint: Option<PathBuf>, stats: Stats) -> Ended {
        let exit_code = match self.reason {
            _ if !saved => exit::FAILURE,
            Reason::Failed => exit::FAILURE,
            Reason::Diverged => exit::DIVERGED,
            Reason::Interrupted => exit::INTERRUPTED,
            Reason::Terminated => exit::TERMINATED,
            _ => exit::SUCCESS,
        };
        let unsaved = || "the last steps could not be saved".to_owned();
        Ended {
            reason: self.reason,
            exit_code,
            message: if saved || self.reason == Reason::Failed {
                self.message
            } else {
                Some(unsaved())
            },
            checkpoint,
            stats,
        }
    }
}
