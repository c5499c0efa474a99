use std::io;
use std::path::PathBuf;

/// Why images could not be read. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A folder or file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A folder without images.
    #[error("no images in {}: expected train-images-idx3-ubyte or another *idx3-ubyte file, plain or .gz", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with several files that could be meant.
    #[error("several image files in {} ({}): name the one to train on train-images-idx3-ubyte", path.display(), names.join(", "))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The files.
        names: Vec<String>,
    },
    /// A file of another kind.
    #[error("{} begins with {found:#010x}, not with {expected:#010x}: not an IDX file of {what}", path.display())]
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
    #[error("{} is {}: its header promises {expected} bytes and it holds {found}; fetch it again", path.display(), if found < expected { "cut short" } else { "too long" })]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes by its header.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A file without a single image, or images without a pixel.
    #[error("{} holds {count} images of {height}x{width} pixels: nothing to train on", path.display())]
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
    #[error("{} holds {labels} labels for the {images} images of {}: the files do not belong together", path.display(), of.display())]
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
    /// A file of samples of a kind that is not read.
    #[error("{} is no file of pictures that can be read ({why}): give IDX, .npz or a folder of PNG files", path.display())]
    NoSamples {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
