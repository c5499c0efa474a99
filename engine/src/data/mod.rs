//! Training images: where they are read from, and the order in which they are learnt.

mod batches;
mod error;
mod idx;
mod mnist;

use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::native::scaled_images;

pub use batches::Batches;
pub use error::DataError;

/// Images in memory, of one size, a byte a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Where they are from, in words.
    pub origin: String,
    /// How many.
    pub count: usize,
    /// Pixels down.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// `[count, height, width]`, 0 black to 255 white.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Reads what the configuration's `data` names: `mnist`, the digits inside the program, or a folder of IDX files.
    pub fn load(data: &str) -> Result<Self, DataError> {
        if data == "mnist" {
            mnist::load()
        } else {
            idx::load_folder(Path::new(data))
        }
    }
}

/// Images on the device that trains, still a byte a pixel: 47 MB for MNIST.
#[derive(Debug)]
pub struct Dataset {
    /// `[count, 1, height, width]`, u8.
    images: Tensor,
}

impl Dataset {
    /// Copies the images to the device.
    pub fn on(device: Device, images: &Images) -> Self {
        let shape = [
            images.count as i64,
            1,
            images.height as i64,
            images.width as i64,
        ];
        Self {
            images: Tensor::from_data_size(&images.pixels, &shape, Kind::Uint8).to_device(device),
        }
    }

    /// Number of images.
    pub fn len(&self) -> u64 {
        self.images.size()[0].unsigned_abs()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one image, `[channels, height, width]`.
    pub fn shape(&self) -> [i64; 3] {
        let size = self.images.size();
        [size[1], size[2], size[3]]
    }

    /// The images at these indices, scaled to [-1, 1], the range of tanh: `[n, channels, height, width]`, f32.
    pub fn select(&self, indices: &Tensor) -> Tensor {
        scaled_images(&self.images, indices)
    }

    /// The device that the images are on.
    pub fn device(&self) -> Device {
        self.images.device()
    }
}
