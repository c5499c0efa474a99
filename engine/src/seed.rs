//! Stateless randomness: every draw is seeded from its purpose and a counter, so that a resumed run draws what the
//! uninterrupted one would have drawn.

/// What random numbers are drawn for.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Initial weights of the generator (counter 0) and the discriminator (counter 1).
    Weights = 1,
    /// The order of an epoch.
    Order = 2,
    /// The noise of a step.
    Step = 3,
    /// The noise of preview pictures.
    Fixed = 4,
    /// The seed of a further attempt after steps that went wrong.
    Attempt = 5,
    /// The pictures and images of a health check.
    Inspection = 6,
    /// The pictures that are held out for testing.
    Split = 7,
    /// The images of a step that are mirrored.
    Flips = 8,
}

/// Seeds libtorch's generators of all devices.
pub fn reseed(seed: u64, stream: Stream, counter: u64) {
    tch::manual_seed(derive(seed, stream, counter).cast_signed());
}

/// Mixes the three numbers into one: `SplitMix64` (Steele, Lea and Flood 2014) over each in turn.
pub fn derive(seed: u64, stream: Stream, counter: u64) -> u64 {
    [seed, stream as u64, counter]
        .into_iter()
        .fold(0, |state, word| mix(state ^ word))
}

fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
