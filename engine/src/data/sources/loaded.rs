//! What every kind of source becomes.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sparring_contract::config::IMAGE_SIZES;
use sparring_contract::protocol::{Skipped, SourceSizes};

use crate::data::{DataError, Part};

/// Bytes that the pictures of a data set may take in memory.
pub(in crate::data) const MOST_BYTES: u64 = 8 << 30;

/// Pixels of a picture in an array at most.
pub(super) const MOST_PIXELS: u64 = 1 << 24;

/// Bad files that are named.
const NAMED: usize = 20;

/// A data set as it was read, before a test split is made for it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Loaded {
    pub(in crate::data) train: Part,
    pub(in crate::data) test: Option<Part>,
    /// Names of the classes, in the order of the labels; empty without labels.
    pub(in crate::data) class_names: Vec<String>,
    pub(in crate::data) about: About,
}

/// What to know about how a data set was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::data) struct About {
    /// What kind of source it is.
    pub(in crate::data) kind: String,
    /// Number of files that could not be used.
    pub(in crate::data) skipped: u64,
    /// The first of them.
    pub(in crate::data) skipped_files: Vec<Skipped>,
    /// What was left out or understood in another way than might be meant.
    pub(in crate::data) warnings: Vec<String>,
    /// What else to know.
    pub(in crate::data) notes: Vec<String>,
    /// Sizes before the pictures were brought to one size.
    pub(in crate::data) source_sizes: Option<SourceSizes>,
}

impl About {
    pub(super) fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    /// Counts a file that cannot be used, and names it if it is among the first.
    pub(super) fn skip(&mut self, relative: &Path, reason: String) {
        self.skipped += 1;
        if self.skipped_files.len() < NAMED {
            self.skipped_files.push(Skipped {
                name: relative.display().to_string(),
                reason,
            });
        }
    }

    /// Refuses data of which more than a quarter cannot be used, or nothing.
    pub(super) fn check(&self, path: &Path, good: usize) -> Result<(), DataError> {
        let of = self.skipped + good as u64;
        match self.skipped_files.first() {
            Some(first) if good == 0 || self.skipped * 4 > of => Err(DataError::TooManyBad {
                path: path.to_owned(),
                bad: self.skipped,
                of,
                first: first.name.clone(),
                reason: first.reason.clone(),
            }),
            None if good == 0 => Err(DataError::NoImages {
                path: path.to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// The side for pictures whose smaller sides have this median: the largest size that does not enlarge them.
pub(super) fn default_side(median: u32) -> u32 {
    let fitting = IMAGE_SIZES.iter().rev().find(|side| **side <= median);
    *fitting.unwrap_or(&IMAGE_SIZES[0])
}

/// How many bytes so many bytes of deflate can become: 258 by two bits, the most that a match can do.
pub(super) fn unpacked_at_most(packed: u64) -> u64 {
    packed.saturating_mul(1032)
}

/// Refuses pictures that would take too much memory.
pub(super) fn check_bytes(path: &Path, count: usize, picture: [usize; 3]) -> Result<(), DataError> {
    let bytes = picture.iter().fold(count as u64, |bytes, side| {
        bytes.saturating_mul(*side as u64)
    });
    if bytes > MOST_BYTES {
        return Err(DataError::TooLarge {
            path: path.to_owned(),
            count,
            side: picture[1].max(picture[2]),
            bytes,
            limit: MOST_BYTES,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_side_enlarges_nothing_but_what_is_below_all_sizes() {
        let sides = [5, 28, 31, 32, 47, 48, 63, 64, 5000].map(default_side);
        assert_eq!(sides, [28, 28, 28, 32, 32, 48, 48, 64, 64]);
    }

    #[test]
    fn a_quarter_may_be_bad_and_no_more() {
        let path = Path::new("pictures");
        let mut about = About::of("folder");
        assert!(about.check(path, 1).is_ok());
        about.skip(Path::new("a.png"), "it is empty".to_owned());
        assert!(about.check(path, 3).is_ok());
        assert_eq!(
            about.check(path, 2).unwrap_err().to_string(),
            "1 of 3 files in pictures cannot be used, more than a quarter; the first is a.png: it is empty"
        );
        assert!(about.check(path, 0).is_err());
    }
}
