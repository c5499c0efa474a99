//! What a part of the torture is. A part breaks the programs in one kind of way, case by case.
//!
//! To add one: implement [`Part`], and list it in `PARTS` in main.rs. A case is a word, such as `start:kill:37`; nothing
//! but the word decides what it does, so that `--only PART --case CASE` repeats it. Most often two cases run at a time, so a case
//! makes a folder of its own ([`Site`](crate::rig::Site)), and ends what it starts. It may `assert!` and `unwrap()`: a
//! panic counts as [`Miss::Wrong`], with its message.

use crate::rig::Rig;

/// A kind of way to break the programs.
pub trait Part: Sync {
    /// Its name, a word.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn about(&self) -> &'static str;

    /// Its share of the time, as a weight beside those of the other parts.
    fn weight(&self) -> u32;

    /// How many cases run at a time.
    fn at_once(&self) -> usize {
        2
    }

    /// The cases of a round. All parts are asked for round 0, and for the next ones while there is time. The time may be
    /// over before the last case, so those that tell the most come first; a part with too many puts them in an order that
    /// depends on the seed ([`spread`]). An empty round ends the part.
    fn cases(&self, rig: &Rig, seed: u64, round: u64) -> Vec<String>;

    /// Runs a case.
    fn run(&self, rig: &Rig, case: &str) -> Outcome;
}

/// What became of a case: all promises held, or not.
pub type Outcome = Result<(), Miss>;

/// A promise that was not kept, and how it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// More was lost than the steps since the last checkpoint.
    Lost(String),
    /// The run that went on is another than the undisturbed one.
    NotIdentical(String),
    /// Anything else: a wrong exit code or message, files left behind, a hang, a panic.
    Wrong(String),
    /// The case cannot run here; this is why.
    Skipped(String),
}

impl Miss {
    /// The same miss with other words.
    pub fn map(self, say: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Lost(why) => Self::Lost(say(why)),
            Self::NotIdentical(why) => Self::NotIdentical(say(why)),
            Self::Wrong(why) => Self::Wrong(say(why)),
            Self::Skipped(why) => Self::Skipped(say(why)),
        }
    }
}

/// Fails a case with [`Miss::Wrong`] unless something holds.
#[macro_export]
macro_rules! check {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err($crate::part::Miss::Wrong(format!($($why)+)));
        }
    };
}

/// Puts cases in an order in which the first n are spread evenly over all, for every n. The seed decides where it begins.
pub fn spread<T>(cases: Vec<T>, seed: u64) -> Vec<T> {
    // Multiples of the golden ratio, modulo 1, fill the gaps between each other.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let begin = random(seed, 0) as f64 / u64::MAX as f64;
    let mut slots: Vec<_> = cases.into_iter().map(Some).collect();
    let count = slots.len();
    let mut order: Vec<usize> = Vec::with_capacity(count);
    // Positions on the circle, in the order in which they are visited; the rest is visited by rank.
    let mut ranked: Vec<(f64, usize)> = (0..count)
        .map(|visit| ((begin + visit as f64 * GOLDEN).fract(), visit))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut place_of_visit = vec![0; count];
    for (place, (_, visit)) in ranked.into_iter().enumerate() {
        place_of_visit[visit] = place;
    }
    order.extend(place_of_visit);
    order
        .into_iter()
        .filter_map(|place| slots[place].take())
        .collect()
}

/// A random number: a function of a seed and a counter (SplitMix64).
pub fn random(seed: u64, counter: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x2545_f491_4f6c_dd1d)
        .wrapping_add(counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
