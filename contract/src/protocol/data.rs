//! What a data set holds.

use serde::{Deserialize, Serialize};

use crate::config::DataFacts;

/// What a data set holds once it is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Where it was read from.
    pub origin: String,
    /// What kind of source that is, such as `IDX` or `folder`.
    pub kind: String,
    /// Pictures to train on and to test with.
    pub images: u64,
    /// Those to test with.
    pub test_images: u64,
    /// Whether the test pictures were held out by `test_fraction`, rather than being a part of the data.
    pub held_out: bool,
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Pixels down, as training uses them.
    pub height: u32,
    /// Pixels across, as training uses them.
    pub width: u32,
    /// The classes in the order of their labels; empty if the data has none.
    pub classes: Vec<ClassCount>,
    /// Sizes of the pictures before they were brought to one size; `None` if they already had one.
    pub source_sizes: Option<SourceSizes>,
    /// Files that could not be used.
    pub skipped: u64,
    /// The first of them, in the order of their names.
    pub skipped_files: Vec<Skipped>,
    /// What else to know about how the data was read.
    pub notes: Vec<String>,
    /// Identifies the pictures, labels and split: equal fingerprints, equal data.
    pub fingerprint: String,
    /// Whether this is MNIST.
    pub is_mnist: bool,
    /// Whether the pictures came from the cache, decoded before.
    pub cached: bool,
}

/// A class of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Its name, which may hold any character: see [`crate::text::printable`].
    pub name: String,
    /// Its pictures.
    pub count: u64,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its path within the data set, which may hold any character: see [`crate::text::printable`].
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Sizes of the pictures of a data set, in pixels: `[width, height]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSizes {
    /// The size with the fewest pixels.
    pub smallest: [u32; 2],
    /// The size with the most pixels.
    pub largest: [u32; 2],
    /// Median of the smaller sides.
    pub median_side: u32,
}

impl DataReport {
    /// What the choice of a preset depends on.
    pub fn facts(&self) -> DataFacts {
        DataFacts {
            is_mnist: self.is_mnist,
            channels: self.channels,
            height: self.height,
            width: self.width,
            classes: self.classes.len(),
            images: self.images,
        }
    }
}
