//! How the pictures are spread over the classes of the data.

use sparring_contract::protocol::{Health, Verdict};

use super::journal::plain;

/// How much there is of a class among the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Next to nothing.
    Gone,
    /// Less than half of a fair share.
    Rare,
    /// Enough.
    There,
}

/// A class that the verdict does not call missing is gone below this part of a fair share.
const GONE: f64 = 0.1;
/// And rare below this.
const RARE: f64 = 0.5;

/// A class and how much there is of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name; its number where the data has no names.
    pub name: String,
    /// Its share of the pictures.
    pub share: f64,
    /// What that comes to.
    pub presence: Presence,
}

/// The classes of the data, in order; none where there is no histogram.
pub fn classes(health: &Health, names: &[String]) -> Vec<Class> {
    let missing = match &health.verdict {
        Verdict::Collapsing { missing } => missing.as_slice(),
        _ => &[],
    };
    let fair = fair_share(health.histogram.len());
    (0_u32..)
        .zip(&health.histogram)
        .map(|(class, share)| Class {
            name: names
                .get(class as usize)
                .map_or_else(|| class.to_string(), |name| plain(name)),
            share: *share,
            presence: match share / fair {
                _ if missing.contains(&class) => Presence::Gone,
                part if part < GONE => Presence::Gone,
                part if part < RARE => Presence::Rare,
                _ => Presence::There,
            },
        })
        .collect()
}

/// The share of a class where all of so many are alike.
pub fn fair_share(classes: usize) -> f64 {
    1.0 / classes.max(1) as f64
}
