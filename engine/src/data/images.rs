//! Pictures in memory.

use tch::{Kind, Tensor};

/// Pictures of one size, a byte per channel and pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many.
    pub count: usize,
    /// 1 for grey, 3 for RGB.
    pub channels: usize,
    /// Pixels down.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// `[count, channels, height, width]`, 0 black to 255 white.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Bytes of one picture.
    pub fn picture_bytes(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// One picture, `[channels, height, width]`.
    pub fn picture(&self, index: usize) -> Option<&[u8]> {
        let bytes = self.picture_bytes();
        let start = index.checked_mul(bytes)?;
        self.pixels.get(start..start.checked_add(bytes)?)
    }

    /// `[count, channels, height, width]`, u8, on the CPU.
    pub fn tensor(&self) -> Tensor {
        let shape = [self.count, self.channels, self.height, self.width].map(|side| side as i64);
        Tensor::from_data_size(&self.pixels, &shape, Kind::Uint8)
    }

    /// The pictures at these indices, in this order; indices of no picture are passed over.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut pixels = Vec::with_capacity(indices.len() * self.picture_bytes());
        let mut count = 0;
        for picture in indices.iter().filter_map(|index| self.picture(*index)) {
            pixels.extend_from_slice(picture);
            count += 1;
        }
        Self {
            count,
            pixels,
            ..*self
        }
    }
}

/// Pictures of bytes, 0 to 255, as f32 in [-1, 1].
pub fn from_bytes(pictures: &Tensor) -> Tensor {
    pictures.to_kind(Kind::Float) / 127.5 - 1.0
}

/// Pictures in [-1, 1] as u8: -1 becomes 0 and 1 becomes 255.
pub fn to_bytes(pictures: &Tensor) -> Tensor {
    ((pictures + 1.0) * 127.5)
        .round()
        .clamp(0.0, 255.0)
        .to_kind(Kind::Uint8)
}

/// Pictures to train on, or to test with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The pictures.
    pub images: Images,
    /// The class of each picture, as an index of the class names; `None` if the data has no labels.
    pub labels: Option<Vec<u16>>,
    /// What each picture is to be made from, if the data has pairs: as many pictures, of the same size.
    pub partners: Option<Images>,
}

impl Part {
    /// Channels, height and width of a picture.
    pub(super) fn shape(&self) -> [usize; 3] {
        [self.images.channels, self.images.height, self.images.width]
    }

    /// The class of each picture, `[count]`, i64, on the CPU.
    pub fn labels_tensor(&self) -> Option<Tensor> {
        let labels: Vec<i64> = self
            .labels
            .as_ref()?
            .iter()
            .copied()
            .map(i64::from)
            .collect();
        Some(Tensor::from_slice(&labels))
    }

    /// The pictures at these indices with their labels.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        let pick = |labels: &Vec<u16>| {
            let picked = indices
                .iter()
                .filter_map(|index| labels.get(*index).copied());
            picked.collect()
        };
        Self {
            images: self.images.select(indices),
            labels: self.labels.as_ref().map(pick),
            partners: self
                .partners
                .as_ref()
                .map(|partners| partners.select(indices)),
        }
    }
}
