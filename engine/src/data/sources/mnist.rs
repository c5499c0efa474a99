//! MNIST, inside the program.
//!
//! The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher J. C. Burges, CC BY-SA 3.0: the
//! original files, recompressed. The CRC-32 of gzip is checked as they are unpacked.

use std::path::Path;

use super::idx_format::{Idx, parse_images, parse_labels};
use super::loaded::{About, Loaded};
use crate::data::{DataError, Images, Part};

const TRAIN_IMAGES: &[u8] = include_bytes!("../../../assets/train-images-idx3-ubyte.gz");
const TRAIN_LABELS: &[u8] = include_bytes!("../../../assets/train-labels-idx1-ubyte.gz");
const TEST_IMAGES: &[u8] = include_bytes!("../../../assets/t10k-images-idx3-ubyte.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../../assets/t10k-labels-idx1-ubyte.gz");

/// The 60,000 training digits and the 10,000 test digits, by other writers.
pub(in crate::data) fn load() -> Result<Loaded, DataError> {
    let [train, test] = parts()?.map(|(images, digits)| Part {
        partners: None,
        images,
        labels: Some(digits.into_iter().map(u16::from).collect()),
    });
    Ok(Loaded {
        train,
        test: Some(test),
        class_names: (0..10).map(|digit| digit.to_string()).collect(),
        about: About::of("MNIST"),
    })
}

/// Images and the digit of each, to train on and to test with.
pub(super) fn parts() -> Result<[(Images, Vec<u8>); 2], DataError> {
    Ok([
        read(TRAIN_IMAGES, TRAIN_LABELS)?,
        read(TEST_IMAGES, TEST_LABELS)?,
    ])
}

fn read(images: &'static [u8], labels: &'static [u8]) -> Result<(Images, Vec<u8>), DataError> {
    let name = Path::new("the MNIST files inside this program");
    let unpacked = |bytes: &'static [u8]| {
        Idx::of(bytes, bytes.len() as u64).map_err(|error| DataError::unreadable(name, error))
    };
    Ok((
        parse_images(unpacked(images)?, name)?,
        parse_labels(unpacked(labels)?, name)?,
    ))
}
