//! MNIST, inside the program.
//!
//! The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher J. C. Burges, CC BY-SA 3.0: the
//! original files, recompressed. The CRC-32 of gzip is checked as they are unpacked.

use std::path::Path;

use super::{DataError, Images, Split, idx};

const TRAIN_IMAGES: &[u8] = include_bytes!("../../assets/train-images-idx3-ubyte.gz");
const TRAIN_LABELS: &[u8] = include_bytes!("../../assets/train-labels-idx1-ubyte.gz");
const TEST_IMAGES: &[u8] = include_bytes!("../../assets/t10k-images-idx3-ubyte.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../assets/t10k-labels-idx1-ubyte.gz");

pub(super) fn load(split: Split) -> Result<Images, DataError> {
    let (bytes, origin) = match split {
        Split::Train => (TRAIN_IMAGES, "mnist"),
        Split::Test => (TEST_IMAGES, "mnist, test digits"),
    };
    let name = Path::new("the MNIST images inside this program");
    let images = idx::parse_images(&idx::unpack(bytes.to_vec(), name)?, name)?;
    Ok(Images {
        origin: origin.to_owned(),
        ..images
    })
}

/// What each digit is, 0 to 9, in the order of the images.
pub(super) fn labels(split: Split) -> Result<Vec<u8>, DataError> {
    let bytes = match split {
        Split::Train => TRAIN_LABELS,
        Split::Test => TEST_LABELS,
    };
    let name = Path::new("the MNIST labels inside this program");
    idx::parse_labels(&idx::unpack(bytes.to_vec(), name)?, name)
}
