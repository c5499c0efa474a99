//! What the worker's looks at its run tell, and since when.

use sparring_contract::protocol::{Health, Quality, Verdict};

use super::history::History;

/// The newest look.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What was seen.
    pub health: Health,
    /// When it was told, seconds since 1970.
    pub time: f64,
}

/// The looks at a run.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    latest: Option<Seen>,
    /// The quality curve.
    pub quality: History<Quality>,
}

impl Looks {
    /// Begins with the quality curve that a snapshot tells.
    pub fn new(quality: impl IntoIterator<Item = Quality>) -> Self {
        Self {
            latest: None,
            quality: History::new(quality),
        }
    }

    /// Adds a look.
    pub fn push(&mut self, health: Health, time: f64) {
        self.quality.push(health.quality());
        self.latest = Some(Seen { health, time });
    }

    /// Forgets what lies after a step: the run goes on from there.
    pub fn rewind(&mut self, step: u64) {
        self.quality.rewind(step);
        self.latest.take_if(|seen| seen.health.step > step);
    }

    /// The newest look, once there is one.
    pub fn latest(&self) -> Option<&Seen> {
        self.latest.as_ref()
    }

    /// The verdict in a word, if it is one that a user should look at.
    pub fn alarm(&self) -> Option<&'static str> {
        let verdict = &self.latest.as_ref()?.health.verdict;
        verdict.is_alarm().then(|| verdict.word())
    }
}

/// How much there is of a class among the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Next to nothing.
    Gone,
    /// Less than half of its fair share.
    Rare,
    /// Enough.
    There,
}

/// Digits.
const CLASSES: usize = 10;
/// The share of a class where all are alike.
pub const FAIR: f64 = 0.1;
/// A class that the verdict does not call missing is gone below this part of that.
const GONE: f64 = 0.1;
/// And rare below this.
const RARE: f64 = 0.5;

/// How much there is of each of the ten classes, in order; nothing where there is no histogram.
pub fn presences(health: &Health) -> Vec<Presence> {
    let missing = match &health.verdict {
        Verdict::Collapsing { missing } => missing.as_slice(),
        _ => &[],
    };
    (0_u8..)
        .zip(health.histogram.iter().take(CLASSES))
        .map(|(class, share)| match share / FAIR {
            _ if missing.contains(&class) => Presence::Gone,
            part if part < GONE => Presence::Gone,
            part if part < RARE => Presence::Rare,
            _ => Presence::There,
        })
        .collect()
}
