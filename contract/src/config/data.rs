//! The keys that say which pictures a run learns from, and how they are prepared.

use serde::{Deserialize, Serialize};

/// Sides, in pixels, to which pictures are brought.
pub const IMAGE_SIZES: [u32; 4] = [28, 32, 48, 64];

/// What `data` calls the digits inside the program.
pub const MNIST: &str = "mnist";

/// The keys of a [`super::Config`] that decide what is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSource {
    /// `mnist`, or a folder or file: IDX, pictures, `.npz`, `.npy`, or a sprite sheet.
    pub data: String,
    /// Side of the pictures in pixels, one of [`IMAGE_SIZES`]; 0 chooses it from the data.
    pub image_size: u32,
    /// Grey or colour.
    pub channels: Channels,
    /// What lies behind transparent pixels.
    pub background: Background,
    /// Side of a sprite sheet's tiles in pixels; 0 if the data is no sprite sheet.
    pub tile: u32,
    /// Share of the pictures held out for testing, where the data has no test split. In [0, 0.5].
    pub test_fraction: f64,
    /// Seed of the choice of those pictures.
    pub test_seed: u64,
    /// Whether the data is a folder with pictures in `b/` and what each is to be made from in `a/`, under the same name.
    #[serde(default)]
    pub pairs: bool,
    /// For translation without pairs, its two domains as in [`super::Translate::domains`]; otherwise empty.
    #[serde(default)]
    pub domains: Vec<String>,
}

impl DataSource {
    /// What `data` names, with the default of every other key.
    pub fn named(data: &str) -> Self {
        Self {
            data: data.to_owned(),
            image_size: 0,
            channels: Channels::Auto,
            background: Background::BLACK,
            tile: 0,
            test_fraction: 0.1,
            test_seed: 0,
            pairs: false,
            domains: Vec::new(),
        }
    }

    /// Whether this is the MNIST inside the program, as it is.
    pub fn is_embedded(&self) -> bool {
        self.data == MNIST
    }
}

/// Whether pictures are grey or in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Grey if every picture is, else RGB.
    Auto,
    /// One channel: ITU-R BT.601 luma, as Pillow's mode L.
    Grey,
    /// Three channels.
    Rgb,
}

/// An opaque colour, written `black`, `white` or `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Background(pub [u8; 3]);

impl Background {
    /// `black`
    pub const BLACK: Self = Self([0; 3]);

    /// Reads a colour; `None` if the text names none.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "black" => Some(Self::BLACK),
            "white" => Some(Self([255; 3])),
            _ => {
                let digits = text.strip_prefix('#')?;
                let is_hex = digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit());
                let [_, red, green, blue] = is_hex
                    .then(|| u32::from_str_radix(digits, 16).ok())??
                    .to_be_bytes();
                Some(Self([red, green, blue]))
            }
        }
    }
}

impl TryFrom<String> for Background {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no colour"))
    }
}

impl From<Background> for String {
    fn from(Background([red, green, blue]): Background) -> Self {
        match [red, green, blue] {
            [0, 0, 0] => "black".to_owned(),
            [255, 255, 255] => "white".to_owned(),
            _ => format!("#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}
