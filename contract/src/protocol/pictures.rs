//! Pictures on their way to a screen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What noise pictures were drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The same noise throughout the run, to watch the pictures being learnt.
    Fixed,
    /// New noise.
    Fresh,
    /// No noise: they are real images of a data set.
    Real,
    /// Noise of a newer build.
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
    /// `[count, channels, height, width]`, a byte each, 0 black to 255 white.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub pixels: Vec<u8>,
    /// The class that each picture was asked to be, 0 and up; empty if no class was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<u32>,
}

impl Pictures {
    /// The bytes of one picture, `[channels, height, width]`.
    pub fn picture(&self, index: usize) -> Option<&[u8]> {
        let size = self.picture_bytes();
        self.pixels.get(index * size..(index + 1) * size)
    }

    /// Bytes of one picture.
    pub fn picture_bytes(&self) -> usize {
        self.channels as usize * self.height as usize * self.width as usize
    }

    /// Whether the pixels are as many as the sizes say, with none of them zero.
    pub fn is_whole(&self) -> bool {
        self.picture_bytes() > 0
            && self.picture_bytes().checked_mul(self.count as usize) == Some(self.pixels.len())
    }
}

fn to_base64<S: Serializer>(pixels: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(pixels))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
