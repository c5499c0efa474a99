//! Pictures of any size and colour brought to one.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use sparring_contract::config::Channels;

use crate::data::Images;

/// A picture of any size, opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Flat {
    /// 1 for grey, 3 for RGB.
    pub(in crate::data) channels: usize,
    /// Pixels across, at least 1.
    pub(in crate::data) width: u32,
    /// Pixels down, at least 1.
    pub(in crate::data) height: u32,
    /// `[height, width, channels]`.
    pub(in crate::data) pixels: Vec<u8>,
}

/// A picture of the size that training uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Square {
    /// 1 for grey, 3 for RGB.
    pub(in crate::data) channels: usize,
    /// `[channels, height, width]`.
    pub(in crate::data) pixels: Vec<u8>,
}

impl Flat {
    /// Grey if that is asked for, or if the picture has no colour.
    pub(in crate::data) fn reduced(mut self, channels: Channels) -> Self {
        let (pixels, _) = self.pixels.as_chunks::<3>();
        let grey: Option<Vec<u8>> = match channels {
            _ if self.channels == 1 => None,
            Channels::Grey => Some(pixels.iter().copied().map(luma).collect()),
            _ => pixels
                .iter()
                .map(|[r, g, b]| (r == g && g == b).then_some(*r))
                .collect(),
        };
        if let Some(grey) = grey {
            self.pixels = grey;
            self.channels = 1;
        }
        self
    }

    /// Crops the picture to a square about its centre and resizes that with a Catmull-Rom filter, widened when it
    /// shrinks (no aliasing). A square of this side already stays as it is.
    pub(in crate::data) fn square(&self, side: u32) -> Square {
        let short = self.width.min(self.height);
        let (left, top) = ((self.width - short) / 2, (self.height - short) / 2);
        let cropped = || self.part(left, top, short);
        let pixels = if short == side {
            cropped()
        } else {
            // Only sizes that do not match the buffer are errors.
            self.resized([left, top, short], side)
                .unwrap_or_else(cropped)
        };
        Square {
            channels: self.channels,
            pixels: planes(&pixels, self.channels),
        }
    }

    /// The pixels of a square part, `[side, side, channels]`.
    pub(super) fn part(&self, left: u32, top: u32, side: u32) -> Vec<u8> {
        let row = self.width as usize * self.channels;
        let (start, length) = (left as usize * self.channels, side as usize * self.channels);
        self.pixels
            .chunks(row.max(1))
            .skip(top as usize)
            .take(side as usize)
            .flat_map(|line| line.iter().skip(start).take(length).copied())
            .collect()
    }

    /// All pixels, `[channels, height, width]`.
    pub(in crate::data) fn planes(&self) -> Vec<u8> {
        planes(&self.pixels, self.channels)
    }

    fn resized(&self, [left, top, short]: [u32; 3], side: u32) -> Option<Vec<u8>> {
        let kind = if self.channels == 1 {
            PixelType::U8
        } else {
            PixelType::U8x3
        };
        let from = ImageRef::new(self.width, self.height, &self.pixels, kind).ok()?;
        let mut to = Image::new(side, side, kind);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
            .crop(left.into(), top.into(), short.into(), short.into())
            .use_alpha(false);
        Resizer::new().resize(&from, &mut to, &options).ok()?;
        Some(to.into_vec())
    }
}

/// ITU-R BT.601 luma as Pillow rounds it for its mode L.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    let sum = 19_595 * red + 38_470 * green + 7_471 * blue + 0x8000;
    u8::try_from(sum >> 16).unwrap_or(u8::MAX)
}

/// `[…, channels]` as `[channels, …]`.
fn planes(pixels: &[u8], channels: usize) -> Vec<u8> {
    if channels == 1 {
        return pixels.to_vec();
    }
    (0..channels)
        .flat_map(|channel| pixels.iter().skip(channel).step_by(channels).copied())
        .collect()
}

/// Pictures of one size, `[height, width]`, as one array: grey if all are and colour is not asked for, else grey ones
/// become RGB.
pub(in crate::data) fn collate(
    squares: Vec<Square>,
    channels: Channels,
    [height, width]: [usize; 2],
) -> Images {
    let all_grey = squares.iter().all(|square| square.channels == 1);
    let channels = if all_grey && channels != Channels::Rgb {
        1
    } else {
        3
    };
    let count = squares.len();
    let mut pixels = Vec::with_capacity(count * channels * height * width);
    for square in squares {
        for _ in 0..channels / square.channels {
            pixels.extend_from_slice(&square.pixels);
        }
    }
    Images {
        count,
        channels,
        height,
        width,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(channels: usize, width: u32, height: u32, pixels: &[u8]) -> Flat {
        Flat {
            channels,
            width,
            height,
            pixels: pixels.to_vec(),
        }
    }

    #[test]
    fn a_square_of_the_right_side_keeps_every_pixel() {
        let picture = flat(3, 2, 2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let square = picture.square(2);
        assert_eq!(square.pixels, [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    }

    #[test]
    fn the_middle_of_a_wide_or_high_picture_is_taken() {
        let wide = flat(1, 4, 2, &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(wide.square(2).pixels, [1, 2, 5, 6]);
        let high = flat(1, 1, 3, &[7, 8, 9]);
        assert_eq!(high.square(1).pixels, [8]);
    }

    #[test]
    fn shrinking_averages_and_does_not_alias() {
        // A checkerboard of single pixels is grey from afar.
        let board: Vec<u8> = (0..64 * 64)
            .map(|at| if (at % 64 + at / 64) % 2 == 0 { 0 } else { 255 })
            .collect();
        let square = flat(1, 64, 64, &board).square(16);
        let inner = |at: usize| (2..14).contains(&(at % 16)) && (2..14).contains(&(at / 16));
        for (at, pixel) in square
            .pixels
            .iter()
            .enumerate()
            .filter(|(at, _)| inner(*at))
        {
            assert!((120..=135).contains(pixel), "{at}: {pixel}");
        }
    }

    #[test]
    fn one_colour_stays_that_colour_at_any_size() {
        let picture = flat(3, 5, 7, &[10, 200, 90].repeat(35));
        for side in [1, 3, 28] {
            let square = picture.square(side);
            let plane = (side * side) as usize;
            assert_eq!(
                square.pixels,
                [vec![10; plane], vec![200; plane], vec![90; plane]].concat()
            );
        }
    }

    #[test]
    fn a_picture_without_colour_is_grey() {
        let grey = || flat(3, 1, 2, &[5, 5, 5, 9, 9, 9]);
        assert_eq!(grey().reduced(Channels::Auto), flat(1, 1, 2, &[5, 9]));
        let colour = || flat(3, 1, 1, &[255, 0, 0]);
        assert_eq!(colour().reduced(Channels::Auto), colour());
        // Pillow: Image.new("RGB", (1, 1), (255, 0, 0)).convert("L") gives 76.
        assert_eq!(colour().reduced(Channels::Grey).pixels, [76]);
    }

    #[test]
    fn one_colour_picture_makes_all_of_them_rgb() {
        let grey = Square {
            channels: 1,
            pixels: vec![7],
        };
        let colour = Square {
            channels: 3,
            pixels: vec![1, 2, 3],
        };
        let both = collate(vec![grey.clone(), colour], Channels::Auto, [1, 1]);
        assert_eq!((both.channels, both.pixels), (3, vec![7, 7, 7, 1, 2, 3]));
        let alone = |channels| collate(vec![grey.clone()], channels, [1, 1]).channels;
        assert_eq!((alone(Channels::Auto), alone(Channels::Rgb)), (1, 3));
    }
}
