//! How the pictures are spread over the classes of the data.

use std::iter::repeat;

use sparring_contract::protocol::{Health, Verdict};

use super::journal::plain;

/// How much there is of a class among the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Next to nothing.
    Gone,
    /// Less than half of its share of real images.
    Rare,
    /// Enough.
    There,
}

/// A class that the verdict does not call missing is gone below this part of its share of real images.
const GONE: f64 = 0.1;
/// And rare below this.
const RARE: f64 = 0.5;
/// A class with a smaller share of real images than this, ten in 2,000, may have few pictures by chance.
const FINDABLE: f64 = 0.005;

/// A class and how much there is of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name; its number where the data has no names.
    pub name: String,
    /// Its share of the pictures.
    pub share: f64,
    /// Its share of real images.
    pub real: f64,
    /// What that comes to.
    pub presence: Presence,
}

/// The classes of the data, in order; none where there is no histogram.
pub fn classes(health: &Health, names: &[String]) -> Vec<Class> {
    let missing = match &health.verdict {
        Verdict::Collapsing { missing } => missing.as_slice(),
        _ => &[],
    };
    // Older logs do not tell the shares of real images: there all classes are alike.
    let alike = 1.0 / health.histogram.len().max(1) as f64;
    let real = health.histogram_real.iter().copied();
    (0_u32..)
        .zip(&health.histogram)
        .zip(real.chain(repeat(alike)))
        .map(|((class, share), real)| Class {
            name: names
                .get(class as usize)
                .map_or_else(|| class.to_string(), |name| plain(name)),
            share: *share,
            real,
            presence: match share / real {
                _ if missing.contains(&class) => Presence::Gone,
                _ if real < FINDABLE => Presence::There,
                part if part < GONE => Presence::Gone,
                part if part < RARE => Presence::Rare,
                _ => Presence::There,
            },
        })
        .collect()
}
