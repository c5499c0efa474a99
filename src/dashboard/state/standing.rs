//! How the run stands, in a word and with what to do next.

use sparring_contract::config::TaskKind;
use sparring_contract::protocol::{Command, Phase, Reason};

use super::State;
use crate::dashboard::words::grouped;

/// Whether a worker is there to talk to.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    /// It is.
    Live,
    /// The connection is gone and is being reopened.
    Lost {
        /// Why.
        why: String,
    },
    /// The worker's process is gone.
    Died {
        /// How, in words.
        status: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// There is none: the run was read from its log.
    Read,
}

/// How the run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Loading libtorch and the data.
    Loading,
    /// Building the networks.
    WarmingUp,
    /// Training.
    Training,
    /// A pause was asked for.
    Pausing,
    /// Waiting since this step.
    Paused(u64),
    /// Going on was asked for.
    Resuming,
    /// Writing a checkpoint.
    Saving,
    /// An end was asked for.
    Stopping,
    /// A worker ended the run.
    Ended(Reason),
    /// The worker is gone without having ended the run.
    Crashed,
    /// The connection is gone.
    Lost,
    /// A phase of a newer build.
    Unknown,
}

/// How much a standing wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is being done.
    Busy,
    /// It trains.
    Good,
    /// It waits.
    Waiting,
    /// It is over, as it should be.
    Over,
    /// It is over, or out of sight, as it should not be.
    Alarm,
}

impl State {
    /// How the run stands.
    pub fn standing(&self) -> Standing {
        if let Some(ended) = &self.timeline.ended {
            return Standing::Ended(ended.reason);
        }
        match self.connection {
            Connection::Died { .. } | Connection::Read => return Standing::Crashed,
            Connection::Lost { .. } => return Standing::Lost,
            Connection::Live => {}
        }
        if self.stopping {
            return Standing::Stopping;
        }
        match (self.timeline.phase, self.requests.pausing()) {
            (Phase::Ended, _) => Standing::Ended(Reason::Unknown),
            (Phase::Paused, Some(false)) => Standing::Resuming,
            (Phase::Paused, _) => Standing::Paused(self.timeline.phase_step()),
            (Phase::Saving, _) => Standing::Saving,
            (_, Some(true)) => Standing::Pausing,
            (Phase::Loading, _) => Standing::Loading,
            (Phase::WarmingUp, _) => Standing::WarmingUp,
            (Phase::Training, _) => Standing::Training,
            (Phase::Unknown, _) => Standing::Unknown,
        }
    }

    /// Whether a worker has the run, as far as this face knows.
    pub fn is_alive(&self) -> bool {
        self.timeline.ended.is_none()
            && matches!(self.connection, Connection::Live | Connection::Lost { .. })
    }

    /// Why no command can be sent, if none can.
    pub fn refusal(&self) -> Option<&'static str> {
        if self.read_only {
            return Some("this face only watches (--read-only)");
        }
        if self.timeline.ended.is_some() {
            return Some("the run has ended");
        }
        match self.connection {
            Connection::Live => None,
            Connection::Lost { .. } => Some("the connection is lost"),
            Connection::Died { .. } | Connection::Read => Some("no worker trains this run"),
        }
    }

    /// Whether a checkpoint was asked for and is not there yet.
    pub fn is_saving(&self) -> bool {
        self.timeline.phase == Phase::Saving
            || self.requests.any(|command| *command == Command::Checkpoint)
    }

    /// Why it stands so, where that takes more than a word.
    pub fn detail(&self) -> Option<String> {
        match (&self.timeline.ended, &self.connection) {
            (Some(ended), _) => ended.message.clone(),
            (None, Connection::Died { status: why, .. } | Connection::Lost { why }) => {
                Some(why.clone())
            }
            (None, Connection::Live | Connection::Read) => None,
        }
    }

    /// What to do next where the run does not go on by itself.
    pub fn next(&self) -> Option<String> {
        let resume = || format!("sparring train --resume {}", self.name);
        match self.standing() {
            Standing::Ended(Reason::Finished) => Some(self.use_of_it()),
            Standing::Ended(_) | Standing::Crashed => Some(resume()),
            Standing::Lost => Some("connecting again…".to_owned()),
            _ => None,
        }
    }

    /// The command that uses what the run has learnt.
    fn use_of_it(&self) -> String {
        let started = self.timeline.started.as_ref();
        match started.map(|started| started.task).unwrap_or_default() {
            TaskKind::Generate => format!("sparring sample {}", self.name),
            task => format!("sparring {} {} …", task.name(), self.name),
        }
    }
}

impl Standing {
    /// The state in a word or two.
    pub fn words(self) -> String {
        match self {
            Self::Loading => "loading libtorch".to_owned(),
            Self::WarmingUp => "warming up".to_owned(),
            Self::Training => "training".to_owned(),
            Self::Pausing => "pausing…".to_owned(),
            Self::Paused(step) => format!("paused at step {}", grouped(step)),
            Self::Resuming => "going on…".to_owned(),
            Self::Saving => "saving".to_owned(),
            Self::Stopping => "stopping…".to_owned(),
            Self::Ended(reason) => reason.word().to_owned(),
            Self::Crashed => "crashed".to_owned(),
            Self::Lost => "connection lost".to_owned(),
            Self::Unknown => "busy".to_owned(),
        }
    }

    /// How much it wants to be seen.
    pub fn tone(self) -> Tone {
        match self {
            Self::Training => Tone::Good,
            Self::Paused(_) | Self::Pausing => Tone::Waiting,
            Self::Ended(Reason::Failed | Reason::Diverged) | Self::Crashed | Self::Lost => {
                Tone::Alarm
            }
            Self::Ended(_) => Tone::Over,
            Self::Loading
            | Self::WarmingUp
            | Self::Resuming
            | Self::Saving
            | Self::Stopping
            | Self::Unknown => Tone::Busy,
        }
    }
}
