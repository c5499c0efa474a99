//! Pictures on the device that trains, and batches of them.

use tch::{Device, Tensor};

use super::Images;
use crate::native::scaled_images;

/// Images on the device that trains, still a byte a pixel: 47 MB for MNIST.
#[derive(Debug)]
pub struct Dataset {
    /// `[count, channels, height, width]`, u8.
    images: Tensor,
    /// `[count]`, i64.
    classes: Option<Tensor>,
    class_names: Vec<String>,
}

/// Images, with their classes if the data set is labelled.
#[derive(Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]` in [-1, 1], f32.
    pub images: Tensor,
    /// `[batch]`, i64.
    pub classes: Option<Tensor>,
}

impl Dataset {
    /// Copies the images to the device.
    pub fn on(device: Device, images: &Images) -> Self {
        Self {
            images: images.tensor().to_device(device),
            classes: None,
            class_names: Vec::new(),
        }
    }

    /// Gives each image its class, as an index from 0.
    ///
    /// # Panics
    /// If there are more or fewer classes than images.
    #[must_use]
    pub fn with_classes(self, classes: &[u16]) -> Self {
        assert_eq!(classes.len() as u64, self.len(), "a class for each image");
        let classes: Vec<i64> = classes.iter().copied().map(i64::from).collect();
        let classes = Tensor::from_slice(&classes).to_device(self.images.device());
        Self {
            classes: Some(classes),
            ..self
        }
    }

    /// Names the classes, in the order of their indices.
    #[must_use]
    pub fn with_class_names(self, class_names: Vec<String>) -> Self {
        Self {
            class_names,
            ..self
        }
    }

    /// The names of the classes, in the order of their indices; empty if they have none.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
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
