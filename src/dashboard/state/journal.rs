//! What happened, in lines.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use sparring_contract::protocol::{Event, Outcome, Phase, Reason, Rollback};

use crate::dashboard::words::{bytes, grouped, rate};

/// How many lines to keep. The log on disk keeps all of them.
const LINES: usize = 500;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Something happened.
    Plain,
    /// Something is not as it should be.
    Warning,
    /// Something is broken.
    Alarm,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Seconds since 1970.
    pub time: f64,
    /// How much it matters.
    pub weight: Weight,
    /// What happened.
    pub text: String,
}

/// The lines, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    lines: VecDeque<Line>,
}

impl Journal {
    /// Writes a line.
    pub fn write(&mut self, time: f64, weight: Weight, text: impl Into<String>) {
        let text = plain(&text.into());
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { time, weight, text });
    }

    /// Writes down an event, if it is one for the log.
    pub fn record(&mut self, time: f64, event: &Event) {
        if let Some((weight, text)) = told(event) {
            self.write(time, weight, text);
        }
    }

    /// The lines, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().rev()
    }

    /// How far back, from the newest, the next line is that is as wanted: from a place on, or else from the newest on.
    pub fn find_older(&self, from: usize, wanted: impl Fn(&Line) -> bool) -> Option<usize> {
        let mut found: Option<usize> = None;
        for (place, _) in self
            .newest_first()
            .enumerate()
            .filter(|(_, line)| wanted(line))
        {
            if place >= from {
                return Some(place);
            }
            found = found.or(Some(place));
        }
        found
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Words from a worker, a paste or a file, without what a terminal could take for a command.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn told(event: &Event) -> Option<(Weight, String)> {
    let text = match event {
        Event::Started(started) if started.step == 0 => {
            format!("started on {}", started.device)
        }
        Event::Started(started) => format!(
            "resumed at step {} on {}",
            grouped(started.step),
            started.device
        ),
        Event::Phase { phase, step } => return phase_told(*phase, *step),
        Event::Samples(samples) => format!(
            "pictures of step {}: {}",
            grouped(samples.step),
            in_run(&samples.path)
        ),
        Event::Checkpoint(saved) => format!(
            "{}checkpoint step {} saved, {}",
            if saved.best { "best " } else { "" },
            grouped(saved.step),
            bytes(saved.bytes as f64)
        ),
        Event::Set { key, value, .. } => {
            let value = value.as_f64().map_or_else(|| value.to_string(), rate);
            format!("{key} set to {value}")
        }
        Event::Note { text, .. } => format!("note: {text}"),
        Event::Kept(kept) => format!("{} kept: {}", kept.name, in_run(&kept.path)),
        Event::Warning { message, .. } => return Some((Weight::Warning, message.clone())),
        Event::Ended(ended) => {
            let word = ended.reason.word();
            let text = match &ended.message {
                Some(message) => format!("{word}: {message}"),
                None => format!("{word} at step {}", grouped(ended.stats.step)),
            };
            let weight = if matches!(ended.reason, Reason::Failed | Reason::Diverged) {
                Weight::Alarm
            } else {
                Weight::Plain
            };
            return Some((weight, text));
        }
        Event::Alarm { message, .. } => {
            return Some((Weight::Alarm, format!("ALARM {message}")));
        }
        Event::Rollback(rollback) => return Some((Weight::Alarm, rollback_told(rollback))),
        Event::Stats(_) | Event::Health(_) | Event::Unknown => return None,
    };
    Some((Weight::Plain, text))
}

/// A file of a run from the run's folder, which is an absolute path that nobody wants to read in every line: all files
/// lie in a folder of it.
fn in_run(path: &Path) -> String {
    let parts: Vec<_> = path.iter().collect();
    let inside = parts.len().saturating_sub(2);
    parts[inside..]
        .iter()
        .collect::<PathBuf>()
        .display()
        .to_string()
}

fn rollback_told(rollback: &Rollback) -> String {
    format!(
        "ROLLBACK to step {}: {} at step {}; attempt {} with learning rates D {} and G {}",
        grouped(rollback.back_to),
        rollback.cause,
        grouped(rollback.step),
        rollback.attempt,
        rate(rollback.discriminator_learning_rate),
        rate(rollback.generator_learning_rate),
    )
}

fn phase_told(phase: Phase, step: u64) -> Option<(Weight, String)> {
    (phase == Phase::Paused).then(|| (Weight::Plain, format!("paused at step {}", grouped(step))))
}

/// What a refused command leaves in the log; what was done is told by its event.
pub fn refused(what: &str, outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Refused { reason } => Some(format!("{what} was refused: {reason}")),
        Outcome::Done { .. } | Outcome::Unknown => None,
    }
}
