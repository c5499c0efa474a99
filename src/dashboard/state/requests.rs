//! Commands that the worker has not answered yet.

use sparring_contract::protocol::Command;

use crate::dashboard::words::rate;

/// The most commands that may wait for an answer.
const OPEN: usize = 64;

/// Commands on their way, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    last_id: u64,
    open: Vec<(u64, Command)>,
}

impl Requests {
    /// Notes a command and numbers it; `None` if too many are open.
    pub fn open(&mut self, command: Command) -> Option<u64> {
        if self.open.len() == OPEN {
            return None;
        }
        self.last_id += 1;
        self.open.push((self.last_id, command));
        Some(self.last_id)
    }

    /// Takes out the command that was answered.
    pub fn close(&mut self, id: u64) -> Option<Command> {
        let index = self.open.iter().position(|(known, _)| *known == id)?;
        Some(self.open.remove(index).1)
    }

    /// Forgets them all: nobody is there to answer.
    pub fn abandon(&mut self) -> usize {
        let number = self.open.len();
        self.open.clear();
        number
    }

    /// Whether the latest wish about pausing is to pause (`true`), to go on (`false`), or there is none.
    pub fn pausing(&self) -> Option<bool> {
        self.open
            .iter()
            .rev()
            .find_map(|(_, command)| match command {
                Command::Pause => Some(true),
                Command::Resume => Some(false),
                _ => None,
            })
    }

    /// Whether a command of this kind is on its way.
    pub fn any(&self, of_kind: impl Fn(&Command) -> bool) -> bool {
        self.open.iter().any(|(_, command)| of_kind(command))
    }
}

/// A command in words, for messages about it.
pub fn name(command: &Command) -> String {
    match command {
        Command::Pause => "pausing".to_owned(),
        Command::Resume => "going on".to_owned(),
        Command::Step { steps: 1 } => "one step".to_owned(),
        Command::Step { steps } => format!("{steps} steps"),
        Command::Sample { .. } | Command::SampleClass { .. } => "sampling".to_owned(),
        Command::Explore(_) => "exploring".to_owned(),
        Command::Keep(_) => "keeping the point".to_owned(),
        Command::Checkpoint => "a checkpoint".to_owned(),
        Command::Set { key, value } => {
            let value = value.as_f64().map_or_else(|| value.to_string(), rate);
            format!("setting {key} to {value}")
        }
        Command::Note { .. } => "the note".to_owned(),
        Command::Stop { .. } => "stopping".to_owned(),
        Command::Unknown => "a command".to_owned(),
    }
}
