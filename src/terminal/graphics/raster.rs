//! A picture as large as it is shown.

use png::{BitDepth, ColorType, Compression, Encoder};

use crate::terminal::Picture;

/// Pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether a pixel has three bytes, red, green and blue, instead of one.
    pub is_rgb: bool,
    /// The bytes.
    pub pixels: Vec<u8>,
}

impl Raster {
    /// A picture enlarged so many times: each of its pixels becomes a square, so that nothing blurs.
    pub fn of(picture: &Picture<'_>, times: usize) -> Self {
        let times = times.max(1);
        let channels = picture.channels();
        let row_bytes = picture.width() * times * channels;
        let mut pixels = Vec::with_capacity(row_bytes * picture.height() * times);
        let mut row = Vec::with_capacity(row_bytes);
        for y in 0..picture.height() {
            row.clear();
            for x in 0..picture.width() {
                let color = picture.pixel(y * picture.width() + x);
                for _ in 0..times {
                    row.extend(&color[..channels]);
                }
            }
            for _ in 0..times {
                pixels.extend(&row);
            }
        }
        let side = |pixels: usize| u32::try_from(pixels * times).unwrap_or(u32::MAX);
        Self {
            width: side(picture.width()),
            height: side(picture.height()),
            is_rgb: channels == 3,
            pixels,
        }
    }

    /// The picture as a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(if self.is_rgb {
            ColorType::Rgb
        } else {
            ColorType::Grayscale
        });
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        let written = encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.pixels));
        // Nothing fails that is written to memory and has as many bytes as its header says.
        debug_assert!(written.is_ok());
        file
    }

    /// The colour of a pixel by its place among all.
    pub(super) fn color(&self, place: usize) -> [u8; 3] {
        let bytes = if self.is_rgb { 3 } else { 1 };
        match self.pixels.get(place * bytes..(place + 1) * bytes) {
            Some(&[red, green, blue]) => [red, green, blue],
            Some(&[grey]) => [grey; 3],
            _ => [0; 3],
        }
    }
}
