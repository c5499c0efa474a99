use std::io;
use std::path::{Path, PathBuf};

use sparring_contract::text::printable;

/// Why images could not be read. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A folder or file that cannot be read.
    #[error("cannot read {}: {error}", shown(path))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A folder without images.
    #[error(
        "no pictures in {}: expected PNG, JPEG, WebP, BMP or GIF files, with or without a sub-folder per class, or IDX files such as train-images-idx3-ubyte",
        shown(path)
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with several files that could be meant.
    #[error("several image files in {} ({}): name one of them, or name the one to train on train-images-idx3-ubyte", shown(path), printable(&names.join(", ")))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The files.
        names: Vec<String>,
    },
    /// A file of another kind.
    #[error(
        "{} begins with {found:#010x}, not with {expected:#010x}: not an IDX file of {what}",
        shown(path)
    )]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// Its first four bytes.
        found: u32,
        /// Those of an IDX file.
        expected: u32,
        /// Of what.
        what: &'static str,
    },
    /// A file whose length is not what its header says.
    #[error("{} is {}: its header promises {expected} bytes and it holds {found}; fetch it again", shown(path), if found < expected { "cut short" } else { "too long" })]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes by its header.
        expected: u64,
        /// Bytes that are there; of a compressed file that is much too long, as far as they were counted.
        found: u64,
    },
    /// A file without a single image, or images without a pixel.
    #[error(
        "{} holds {count} images of {height}x{width} pixels: nothing to train on",
        shown(path)
    )]
    Nothing {
        /// The file.
        path: PathBuf,
        /// Images by its header.
        count: usize,
        /// Pixels down.
        height: usize,
        /// Pixels across.
        width: usize,
    },
    /// Labels that do not belong to the images.
    #[error(
        "{} holds {labels} labels for the {images} images of {}: the files do not belong together",
        shown(path),
        shown(of)
    )]
    CountsDiffer {
        /// The labels.
        path: PathBuf,
        /// How many.
        labels: usize,
        /// The images.
        of: PathBuf,
        /// How many.
        images: usize,
    },
    /// Test pictures of another size than those to train on.
    #[error("the test pictures of {} are {}x{} and those to train on {}x{}: the files do not belong together", shown(path), test[1], test[0], train[1], train[0])]
    TestDiffers {
        /// The data.
        path: PathBuf,
        /// Height and width of the pictures to train on.
        train: [usize; 2],
        /// Height and width of the test pictures.
        test: [usize; 2],
    },
    /// More pictures than fit into memory sensibly.
    #[error("{} holds {count} pictures, which take {} MB at {side}x{side}: the limit is {} MB, so set a smaller image_size or take fewer pictures", shown(path), bytes / 1_000_000, limit / 1_000_000)]
    TooLarge {
        /// The data.
        path: PathBuf,
        /// Pictures.
        count: usize,
        /// The longer side of each.
        side: usize,
        /// Bytes that they would take.
        bytes: u64,
        /// Bytes that they may take.
        limit: u64,
    },
    /// A folder of which too many files cannot be used.
    #[error(
        "{bad} of {of} files in {} cannot be used, more than a quarter; the first is {}: {}",
        shown(path),
        printable(first),
        printable(reason)
    )]
    TooManyBad {
        /// The folder.
        path: PathBuf,
        /// Files that cannot be used.
        bad: u64,
        /// All of them.
        of: u64,
        /// The first bad one.
        first: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Data of a kind that is read, which does not hold what is needed.
    #[error("cannot take pictures from {}: {}", shown(path), printable(why))]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
}

impl DataError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn unusable(path: &Path, why: impl Into<String>) -> Self {
        Self::Unusable {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

/// A path as it can be shown.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
