//! Why nothing could be evaluated, or there is no judge.

use std::io;
use std::path::PathBuf;

use super::classifier::SMALLEST;
use super::judge_file::JudgeFileError;
use crate::data::DataError;

/// Why nothing could be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The real pictures cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no judge, or it cannot be used.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// Too few pictures.
    #[error("{found} pictures are too few to be judged: at least {needed} are needed")]
    TooFew {
        /// How many there are.
        found: i64,
        /// How many it takes.
        needed: i64,
    },
    /// One of two domains cannot be evaluated.
    #[error("domain {name}: {error}")]
    Domain {
        /// Its name.
        name: String,
        /// Why.
        error: Box<Self>,
    },
    /// Too few real pictures.
    #[error(
        "the data has {found} pictures to train on or to compare with: at least {needed} of either are needed"
    )]
    TooFewReal {
        /// How many of either there are.
        found: i64,
        /// How many it takes.
        needed: i64,
    },
    /// Pictures of another shape than the real ones.
    #[error(
        "the pictures are {} and the real ones {}: name what they were learnt from with --data",
        size(found),
        size(real)
    )]
    Shapes {
        /// Channels, height and width of the pictures.
        found: [i64; 3],
        /// Channels, height and width of the real ones.
        real: [i64; 3],
    },
}

/// A shape for people: `28x28`, or `64x64 in colour`.
fn size([channels, height, width]: &[i64; 3]) -> String {
    let colour = if *channels == 1 { "" } else { " in colour" };
    format!("{height}x{width}{colour}")
}

/// Why there is no judge.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A judge inside the program cannot be read.
    #[error("a judge inside this program cannot be used: {0}; make it again with `make judge`")]
    Embedded(JudgeFileError),
    /// The file cannot be read.
    #[error("cannot read the judge {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the judge {}: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is no judge of the data set.
    #[error("the judge {} cannot be used: {why}; train it again with `sparring judge train`, or remove the file", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: JudgeFileError,
    },
    /// There is no cache directory.
    #[error("no home directory is known to keep judges in: set HOME or XDG_CACHE_HOME")]
    NoHome,
    /// Pictures without classes.
    #[error(
        "the data has no labels, so no judge can learn its classes: `sparring eval` compares such pictures without one"
    )]
    Unlabelled,
    /// One class only.
    #[error("the data has one class only, and a judge tells classes apart: it takes two or more")]
    OneClass,
    /// Tiny pictures.
    #[error(
        "the pictures are {height}x{width}: a judge needs {SMALLEST}x{SMALLEST} pixels or more"
    )]
    TooSmall {
        /// Pixels down.
        height: i64,
        /// Pixels across.
        width: i64,
    },
}
