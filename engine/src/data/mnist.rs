//! The training images of MNIST, inside the program.
//!
//! The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher J. C. Burges, CC BY-SA 3.0: the
//! original file `train-images-idx3-ubyte`, recompressed. The CRC-32 of gzip is checked as it is unpacked.

use std::path::Path;

use super::{DataError, Images, idx};

const TRAIN_IMAGES: &[u8] = include_bytes!("../../assets/train-images-idx3-ubyte.gz");

pub(super) fn load() -> Result<Images, DataError> {
    let name = Path::new("the MNIST images inside this program");
    let images = idx::parse_images(&idx::unpack(TRAIN_IMAGES.to_vec(), name)?, name)?;
    Ok(Images {
        origin: "mnist".to_owned(),
        ..images
    })
}
