//! The kinds of data that are read: each is found out by looking at it, and becomes pictures of one size.

mod array;
mod classes;
mod folder;
mod idx;
mod labels;
mod layout;
mod mnist;
mod npy;
mod npz;
mod picture;
mod sheet;
mod shrink;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparring_contract::config::{DataSource, IMAGE_SIZES};
use sparring_contract::protocol::{Skipped, SourceSizes};

use super::parallel::Progress;
use super::{DataError, Part};

pub(super) use idx::read_images as read_idx_images;
pub(super) use mnist::load as load_mnist;
pub(super) use npz::read_samples;
pub(super) use picture::{Limits, decode};
pub(super) use shrink::{Square, collate};
pub(super) use walk::{Stamp, walk};

/// Bytes that the pictures of a data set may take in memory.
pub(super) const MOST_BYTES: u64 = 8 << 30;

/// Bad files that are named.
const NAMED: usize = 20;

/// A data set as it was read, before a test split is made for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) train: Part,
    pub(super) test: Option<Part>,
    /// Names of the classes, in the order of the labels; empty without labels.
    pub(super) class_names: Vec<String>,
    pub(super) about: About,
}

/// What to know about how a data set was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// What kind of source it is.
    pub(super) kind: String,
    /// Number of files that could not be used.
    pub(super) skipped: u64,
    /// The first of them.
    pub(super) skipped_files: Vec<Skipped>,
    /// What was left out or understood in another way than might be meant.
    pub(super) warnings: Vec<String>,
    /// What else to know.
    pub(super) notes: Vec<String>,
    /// Sizes before the pictures were brought to one size.
    pub(super) source_sizes: Option<SourceSizes>,
}

impl About {
    fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    /// Counts a file that cannot be used, and names it if it is among the first.
    fn skip(&mut self, relative: &Path, reason: String) {
        self.skipped += 1;
        if self.skipped_files.len() < NAMED {
            self.skipped_files.push(Skipped {
                name: relative.display().to_string(),
                reason,
            });
        }
    }

    /// Refuses data of which more than a quarter cannot be used, or nothing.
    fn check(&self, path: &Path, good: usize) -> Result<(), DataError> {
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

/// Data whose kind is known.
#[derive(Debug)]
pub(super) struct Found {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Idx,
    Folder(Box<walk::Walk>),
    Npz,
    Npy,
    Sheet,
}

/// Finds out what a source is.
pub(super) fn find(source: &DataSource) -> Result<Found, DataError> {
    let path = PathBuf::from(&source.data);
    let about = fs::metadata(&path).map_err(|error| DataError::unreadable(&path, error))?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let kind = if about.is_dir() {
        if source.tile > 0 {
            return Err(DataError::unusable(
                &path,
                "tile is for a sprite sheet, and this is a folder: name the picture file, or set tile to 0",
            ));
        }
        if idx::has_idx_files(&path)? {
            Kind::Idx
        } else {
            Kind::Folder(Box::new(walk(&path)?))
        }
    } else if !about.is_file() {
        return Err(DataError::unusable(
            &path,
            "it is neither a folder nor a regular file",
        ));
    } else if ending == "npz" {
        Kind::Npz
    } else if ending == "npy" {
        Kind::Npy
    } else if !walk::is_picture_name(&path) {
        Kind::Idx
    } else if source.tile > 0 {
        Kind::Sheet
    } else {
        return Err(DataError::unusable(
            &path,
            "it is one picture: name a folder, or set tile to the side of its tiles if it is a sprite sheet",
        ));
    };
    Ok(Found { path, kind })
}

/// The MNIST inside the program, as the keys of a source want it.
pub(super) fn embedded(source: &DataSource) -> Result<Loaded, DataError> {
    let loaded = load_mnist()?;
    let fit = |part: Part| Part {
        images: idx::fitted(part.images, source),
        ..part
    };
    Ok(Loaded {
        train: fit(loaded.train),
        test: loaded.test.map(fit),
        ..loaded
    })
}

impl Found {
    /// What tells whether the data has changed since it was decoded; `None` if reading it takes no longer than reading
    /// a cache.
    pub(super) fn stamps(&self) -> Result<Option<Vec<Stamp>>, DataError> {
        match &self.kind {
            Kind::Idx => Ok(None),
            Kind::Folder(walk) => Ok(Some(walk.stamps())),
            Kind::Npz | Kind::Npy | Kind::Sheet => {
                let stamp = Stamp::of(&self.path, PathBuf::new())
                    .map_err(|error| DataError::unreadable(&self.path, error))?;
                Ok(Some(vec![stamp]))
            }
        }
    }

    /// Reads the data.
    pub(super) fn load(
        &self,
        source: &DataSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Loaded, DataError> {
        let path = &self.path;
        match &self.kind {
            Kind::Idx => idx::load(path, source),
            Kind::Folder(walk) => folder::load(path, walk, source, progress),
            Kind::Npz => npz::load(path, source, progress),
            Kind::Npy => npz::load_npy(path, source, progress),
            Kind::Sheet => sheet::load(path, source, progress),
        }
    }
}

/// The side for pictures whose smaller sides have this median: the largest size that does not enlarge them.
fn default_side(median: u32) -> u32 {
    let fitting = IMAGE_SIZES.iter().rev().find(|side| **side <= median);
    *fitting.unwrap_or(&IMAGE_SIZES[0])
}

/// Refuses pictures that would take too much memory.
fn check_bytes(path: &Path, count: usize, picture: [usize; 3]) -> Result<(), DataError> {
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
