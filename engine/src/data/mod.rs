//! Images: where they are read from, and the order in which they are learnt.

mod batches;
mod error;
mod idx;
mod mnist;
mod samples;

use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::native::scaled_images;

pub use batches::{Batch, Batches};
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
        if data == MNIST {
            mnist::load(Split::Train)
        } else {
            idx::load_folder(Path::new(data))
        }
    }

    /// Reads the test images that belong to what `data` names: in a folder the file `t10k-images-idx3-ubyte`, `None`
    /// where there is none.
    pub fn load_test(data: &str) -> Result<Option<Self>, DataError> {
        if data == MNIST {
            mnist::load(Split::Test).map(Some)
        } else {
            idx::load_test(Path::new(data))
        }
    }

    /// Reads the class of each training image: `None` where the data has no labels.
    pub fn load_classes(data: &str) -> Result<Option<Vec<u8>>, DataError> {
        if data == MNIST {
            mnist::labels(Split::Train).map(Some)
        } else {
            idx::load_classes(Path::new(data))
        }
    }

    /// Reads the class of each test image: `None` where the data has no labels of its test images.
    pub fn load_test_classes(data: &str) -> Result<Option<Vec<u8>>, DataError> {
        if data == MNIST {
            mnist::labels(Split::Test).map(Some)
        } else {
            idx::load_test_classes(Path::new(data))
        }
    }

    /// Reads pictures that somebody made: an IDX file, plain or gzipped, the first array of bytes in a `.npz`, or a
    /// folder of PNG files in the order of their names.
    pub fn load_samples(path: &Path) -> Result<Self, DataError> {
        samples::load(path)
    }

    /// Whether these are MNIST's training images, wherever they were read from.
    pub fn are_mnist(&self) -> Result<bool, DataError> {
        if self.origin == MNIST {
            return Ok(true);
        }
        if (self.count, self.height, self.width) != (60_000, 28, 28) {
            return Ok(false);
        }
        Ok(mnist::load(Split::Train)?.pixels == self.pixels)
    }

    /// `[count, 1, height, width]`, u8, on the CPU.
    pub fn tensor(&self) -> Tensor {
        let shape = [self.count as i64, 1, self.height as i64, self.width as i64];
        Tensor::from_data_size(&self.pixels, &shape, Kind::Uint8)
    }
}

/// What `data` names the digits inside the program.
const MNIST: &str = "mnist";

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// To learn from: 60,000 digits of MNIST.
    Train,
    /// To be held against: 10,000 digits of MNIST, by other writers.
    Test,
}

/// What each digit of MNIST is: `[n]`, i64, 0 to 9, in the order of the images.
pub fn mnist_labels(split: Split) -> Result<Tensor, DataError> {
    let labels = mnist::labels(split)?;
    Ok(Tensor::from_slice(&labels).to_kind(Kind::Int64))
}

/// Images on the device that trains, still a byte a pixel: 47 MB for MNIST.
#[derive(Debug)]
pub struct Dataset {
    /// `[count, 1, height, width]`, u8.
    images: Tensor,
    /// `[count]`, i64.
    classes: Option<Tensor>,
}

impl Dataset {
    /// Copies the images to the device.
    pub fn on(device: Device, images: &Images) -> Self {
        Self {
            images: images.tensor().to_device(device),
            classes: None,
        }
    }

    /// Says of each image which class it is of, 0 and up.
    ///
    /// # Panics
    /// If there are more or fewer classes than images.
    #[must_use]
    pub fn with_classes(self, classes: &[u8]) -> Self {
        assert_eq!(classes.len() as u64, self.len(), "a class for each image");
        let classes = Tensor::from_slice(classes).to_kind(Kind::Int64);
        let classes = Some(classes.to_device(self.images.device()));
        Self { classes, ..self }
    }

    /// Takes the classes from the labels that belong to what a configuration's `data` names, if it has any.
    pub fn labelled(self, data: &str) -> Result<Self, DataError> {
        Ok(match Images::load_classes(data)? {
            Some(classes) => self.with_classes(&classes),
            None => self,
        })
    }

    /// The highest class of an image; `None` if nothing is known of classes.
    pub fn highest_class(&self) -> Option<u64> {
        let classes = self.classes.as_ref()?;
        Some(classes.max().int64_value(&[]).unsigned_abs())
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

    /// All images, a byte a pixel: `[count, channels, height, width]`, u8.
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// The images at these indices, scaled to [-1, 1], the range of tanh, and their classes.
    pub fn select(&self, indices: &Tensor) -> Batch {
        let classes = self.classes.as_ref();
        Batch {
            images: scaled_images(&self.images, indices),
            classes: classes.map(|classes| classes.index_select(0, indices)),
        }
    }

    /// The device that the images are on.
    pub fn device(&self) -> Device {
        self.images.device()
    }
}
