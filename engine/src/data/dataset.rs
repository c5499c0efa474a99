//! Pictures on the device that trains, and batches of them.

use tch::{Device, Kind, Tensor};

use super::{DataBundle, Images, Part, from_bytes};
use crate::native::scaled_images;

/// Images on the device that trains, a byte a pixel: 47 MB for MNIST.
#[derive(Debug)]
pub struct Dataset {
    /// `[count, channels, height, width]`, u8.
    images: Tensor,
    /// On a GPU the same once more, in [-1, 1], f32, unless that is too much: a batch is one operation less three.
    scaled: Option<Tensor>,
    /// `[count]`, i64.
    classes: Option<Tensor>,
    class_names: Vec<String>,
    /// Of the data that the images are from; empty if nobody said.
    fingerprint: String,
    /// What each image is to be made from, if that is no function of the image: as `images`.
    partners: Option<Tensor>,
    /// How many of the first images are all different, if some are repeated behind them.
    distinct: Option<i64>,
    /// Images that are held out for testing.
    test: Option<Box<Dataset>>,
}

/// Pixels that a GPU keeps as f32: 2 GB.
const MOST_SCALED: usize = 500_000_000;

/// Images, with their classes if the data set is labelled.
#[derive(Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]` in [-1, 1], f32.
    pub images: Tensor,
    /// `[batch]`, i64.
    pub classes: Option<Tensor>,
    /// What the images are to be made from, as `images`; `None` if that is a function of the images, or noise.
    pub partners: Option<Tensor>,
}

impl Batch {
    /// Takes over the pictures of another batch of the same shapes, into this one's memory.
    pub(super) fn copy_pictures(&self, other: &Self) {
        self.images.shallow_clone().copy_(&other.images);
        if let (Some(own), Some(other)) = (&self.partners, &other.partners) {
            own.shallow_clone().copy_(other);
        }
    }
}

impl Dataset {
    /// Copies the images to the device.
    pub fn on(device: Device, images: &Images) -> Self {
        let images = images.tensor().to_device(device);
        let is_affordable = device.is_cuda() && images.numel() <= MOST_SCALED;
        Self {
            scaled: is_affordable.then(|| from_bytes(&images)),
            images,
            classes: None,
            class_names: Vec::new(),
            fingerprint: String::new(),
            partners: None,
            distinct: None,
            test: None,
        }
    }

    /// Gives each image a partner that it is to be made from.
    ///
    /// # Panics
    /// If they are not as many, and of the same shape.
    #[must_use]
    pub fn with_partners(self, partners: &Images) -> Self {
        let partners = partners.tensor().to_device(self.device());
        assert_eq!(
            partners.size(),
            self.images.size(),
            "a partner for each image, of its shape"
        );
        Self {
            partners: Some(partners),
            ..self
        }
    }

    /// Whether each image has a partner.
    pub fn has_partners(&self) -> bool {
        self.partners.is_some()
    }

    /// Adds images of the same kind that are held out for testing.
    #[must_use]
    pub fn with_test(self, test: Self) -> Self {
        Self {
            test: Some(Box::new(test)),
            ..self
        }
    }

    /// The images that are held out for testing, if there are any.
    pub fn test(&self) -> Option<&Self> {
        self.test.as_deref()
    }

    /// The pictures of a data set to train on, with those to test with and the names of the classes; without classes.
    pub fn of(device: Device, bundle: &DataBundle) -> Self {
        Self::of_parts(bundle, |part| Self::of_part(device, part))
    }

    /// As [`Dataset::of`], with the class of each picture where the data has labels.
    pub fn labelled(device: Device, bundle: &DataBundle) -> Self {
        Self::of_parts(bundle, |part| {
            let images = Self::of_part(device, part);
            match &part.labels {
                Some(labels) => images.with_classes(labels),
                None => images,
            }
        })
    }

    fn of_part(device: Device, part: &Part) -> Self {
        let images = Self::on(device, &part.images);
        match &part.partners {
            Some(partners) => images.with_partners(partners),
            None => images,
        }
    }

    fn of_parts(bundle: &DataBundle, part: impl Fn(&Part) -> Self) -> Self {
        let train = part(&bundle.train).with_class_names(bundle.class_names.clone());
        match &bundle.test {
            Some(test) => train.with_test(part(test)),
            None => train,
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

    /// Says which data the images are from.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: String) -> Self {
        Self {
            fingerprint,
            ..self
        }
    }

    /// The fingerprint of the data that the images are from; empty if nobody said.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The [`typical_classes`] of `count` pictures; `None` if nothing is known of classes.
    pub fn typical_classes(&self, count: i64) -> Option<Tensor> {
        Some(typical_classes(self.classes.as_ref()?, count))
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

    /// The places of the images of a class, `[n]`, i64; none if nothing is known of classes.
    pub fn places_of(&self, class: i64) -> Tensor {
        match &self.classes {
            Some(classes) => classes.eq(class).nonzero().view([-1]),
            None => Tensor::empty([0], (Kind::Int64, self.device())),
        }
    }

    /// Those of a class among the [images that are all different](Dataset::distinct), `[n, channels, height, width]`, u8.
    pub fn distinct_of(&self, class: i64) -> Tensor {
        let places = self.places_of(class);
        let is_distinct = places.lt(self.distinct().size()[0]);
        self.images
            .index_select(0, &places.masked_select(&is_distinct))
    }

    /// The images without those that are repeated.
    pub fn distinct(&self) -> Tensor {
        let count = self.distinct.unwrap_or(self.images.size()[0]);
        self.images.narrow(0, 0, count)
    }

    /// Says that only the first `count` images are all different.
    #[must_use]
    pub fn with_distinct(self, count: i64) -> Self {
        Self {
            distinct: Some(count.min(self.images.size()[0])),
            ..self
        }
    }

    /// The images at these indices, scaled to [-1, 1], the range of tanh, and their classes.
    pub fn select(&self, indices: &Tensor) -> Batch {
        let classes = self.classes.as_ref();
        Batch {
            images: match &self.scaled {
                Some(scaled) => scaled.index_select(0, indices),
                None => scaled_images(&self.images, indices),
            },
            classes: classes.map(|classes| classes.index_select(0, indices)),
            partners: self
                .partners
                .as_ref()
                .map(|partners| scaled_images(partners, indices)),
        }
    }

    /// The first `count` images, as [`Dataset::select`] gives them.
    pub fn first(&self, count: i64) -> Batch {
        self.select(&Tensor::arange(count, (Kind::Int64, self.device())))
    }

    /// [`Dataset::select`] into the memory of a batch of that size.
    pub fn select_into(&self, indices: &Tensor, batch: &Batch) {
        let mut images = batch.images.shallow_clone();
        match &self.scaled {
            Some(scaled) => drop(scaled.index_select_out(&images, 0, indices)),
            None => images.copy_(&scaled_images(&self.images, indices)),
        }
        if let (Some(all), Some(classes)) = (&self.classes, &batch.classes) {
            let _ = all.index_select_out(classes, 0, indices);
        }
        if let (Some(all), Some(partners)) = (&self.partners, &batch.partners) {
            partners.shallow_clone().copy_(&scaled_images(all, indices));
        }
    }

    /// The device that the images are on.
    pub fn device(&self) -> Device {
        self.images.device()
    }
}

/// Classes of `count` pictures in the proportions of `classes`, `[n]`, i64, and well mixed: any few of them in a row are
/// in much the same proportions. `[count]`, i64.
pub fn typical_classes(classes: &Tensor, count: i64) -> Tensor {
    /// The fractional parts of its multiples are spread as evenly as can be.
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let (sorted, _) = classes.sort(0, false);
    let turns = Tensor::arange(count, (Kind::Double, Device::Cpu)) * GOLDEN;
    let places = (turns.frac() * classes.numel() as f64).to_kind(Kind::Int64);
    sorted.index_select(0, &places.to_device(sorted.device()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_classes_have_the_proportions_of_the_data_in_every_part() {
        let images = Images {
            count: 100,
            channels: 1,
            height: 1,
            width: 1,
            pixels: vec![0; 100],
        };
        // Seventy of the third class, twenty of the first and ten of the second.
        let classes: Vec<u16> = (0..100)
            .map(|index| match index % 10 {
                0 | 5 => 0,
                3 => 1,
                _ => 2,
            })
            .collect();
        let dataset = Dataset::on(Device::Cpu, &images);
        assert!(dataset.typical_classes(10).is_none());
        let typical = dataset
            .with_classes(&classes)
            .typical_classes(2000)
            .unwrap();
        for [first, count] in [[0, 2000], [500, 100], [1990, 10]] {
            let counts = typical.narrow(0, first, count).bincount(None::<Tensor>, 3);
            for (class, share) in [(0, 0.2), (1, 0.1), (2, 0.7)] {
                let found = counts.double_value(&[class]);
                assert!((found - share * count as f64).abs() <= 2.0, "{counts}");
            }
        }
    }
}
