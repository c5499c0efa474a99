//! Pictures on their way to a screen.

use serde::{Deserialize, Serialize};

/// What pictures were drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The same noise throughout the run, to watch what the generator makes of it.
    Fixed,
    /// New noise.
    Fresh,
    /// That of a point of the latent space, and of its neighbours.
    Explored,
    /// None: they are real images of a data set.
    Real,
    /// It was not recorded, or is one of a newer build.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A batch of pictures of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    /// What they were drawn from.
    pub purpose: Purpose,
    /// Seed of the noise.
    pub seed: u64,
    /// Steps the generator had learnt.
    pub step: u64,
    /// Number of pictures.
    pub count: u32,
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
    /// `[count, channels, height, width]`, a byte each, 0 black to 255 white. They travel in the attachment of a frame,
    /// not in its JSON.
    #[serde(skip)]
    pub pixels: Vec<u8>,
    /// The class that each picture was asked to be, 0 and up; empty if no class was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<u32>,
    /// If pictures belong together, such as a damaged one, the repaired one and the original: what each of them is, a word
    /// each. Then so many pictures in a row belong together. Empty if each stands for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

impl Pictures {
    /// The bytes of one picture, `[channels, height, width]`.
    pub fn picture(&self, index: usize) -> Option<&[u8]> {
        let size = self.picture_bytes();
        let start = index.checked_mul(size)?;
        self.pixels.get(start..start.checked_add(size)?)
    }

    /// Bytes of one picture.
    pub fn picture_bytes(&self) -> usize {
        [self.channels, self.height, self.width]
            .into_iter()
            .fold(1, |bytes: usize, side| bytes.saturating_mul(side as usize))
    }

    /// How many pictures in a row belong together.
    pub fn group(&self) -> usize {
        self.parts.len().max(1)
    }

    /// Bytes of all pictures, by their sizes; `None` if there is no such number.
    pub(super) fn size(&self) -> Option<usize> {
        self.picture_bytes().checked_mul(self.count as usize)
    }

    /// Whether the pixels are as many as the sizes say, with none of them zero.
    pub fn is_whole(&self) -> bool {
        self.picture_bytes() > 0 && self.size() == Some(self.pixels.len())
    }
}
