//! An array of pictures in NumPy's format, read picture by picture.

use std::io::Read;

use sparring_contract::config::{Channels, IMAGE_SIZES};

use super::loaded::{MOST_PIXELS, default_side};
use super::npy::Header;
use super::shrink::{Flat, Square};

/// How the pictures of an array lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PictureArray {
    header: Header,
    pub(super) count: usize,
    /// 1 for grey, 3 for RGB.
    pub(super) channels: usize,
    height: u32,
    width: u32,
    /// Whether each channel is by itself.
    is_planar: bool,
}

impl PictureArray {
    /// Understands a header: `[n, h, w]`, `[n, h, w, c]` or `[n, c, h, w]` with 1 or 3 channels. The error is a reason
    /// in words.
    pub(super) fn of(header: Header) -> Result<Self, String> {
        let (count, channels, height, width, is_planar) = match *header.shape.as_slice() {
            [count, height, width] => (count, 1, height, width, false),
            [count, height, width, channels @ (1 | 3)] => (count, channels, height, width, false),
            [count, channels @ (1 | 3), height, width] => (count, channels, height, width, true),
            ref shape => {
                return Err(format!(
                    "its shape {shape:?} is none of pictures, such as [n, 28, 28] or [n, 28, 28, 3]"
                ));
            }
        };
        if [count, height, width].contains(&0) {
            return Err(format!("its shape {:?} holds no pixel", header.shape));
        }
        let too_large = || format!("its shape {:?} is too large", header.shape);
        let small = |side: usize| u32::try_from(side).map_err(|_| too_large());
        let (height, width) = (small(height)?, small(width)?);
        if u64::from(height) * u64::from(width) > MOST_PIXELS || small(count).is_err() {
            return Err(too_large());
        }
        Ok(Self {
            header,
            count,
            channels,
            height,
            width,
            is_planar,
        })
    }

    /// Height and width.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.height as usize, self.width as usize]
    }

    /// Bytes of all the pictures.
    pub(super) fn bytes(&self) -> u64 {
        let picture = self.channels * self.plane() * self.header.bytes;
        (self.count as u64).saturating_mul(picture as u64)
    }

    /// Pixels of a picture.
    fn plane(&self) -> usize {
        self.height as usize * self.width as usize
    }

    /// The side to bring the pictures to: what is asked for, or if nothing is (0), what suits them; `None` if they can
    /// stay as they are.
    pub(super) fn side(&self, image_size: u32) -> Option<u32> {
        let (height, width) = (self.height, self.width);
        match image_size {
            0 if height == width && IMAGE_SIZES.contains(&height) => None,
            0 => Some(default_side(height.min(width))),
            side => Some(side),
        }
    }

    /// Reads the pictures and brings them to a side, or leaves their size if none is given. `each` hears how many are
    /// read. The error is a reason in words.
    pub(super) fn read(
        &self,
        from: &mut impl Read,
        side: Option<u32>,
        channels: Channels,
        each: &mut dyn FnMut(usize),
    ) -> Result<Vec<Square>, String> {
        let bytes = self.channels * self.plane() * self.header.bytes;
        let mut squares = Vec::new();
        for index in 0..self.count {
            let mut picture = vec![0; bytes];
            from.read_exact(&mut picture).map_err(|error| {
                format!("picture {index} of {} cannot be read: {error}", self.count)
            })?;
            let flat = self.flat(self.header.pixels(picture)?).reduced(channels);
            squares.push(match side {
                Some(side) => flat.square(side),
                None => Square {
                    channels: flat.channels,
                    pixels: flat.planes(),
                },
            });
            each(index + 1);
        }
        Ok(squares)
    }

    fn flat(&self, pixels: Vec<u8>) -> Flat {
        let plane = self.plane();
        let pixels = if self.is_planar && self.channels > 1 {
            (0..plane)
                .flat_map(|pixel| pixels.iter().skip(pixel).step_by(plane).copied())
                .collect()
        } else {
            pixels
        };
        Flat {
            channels: self.channels,
            width: self.width,
            height: self.height,
            pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::npy::Kind;
    use super::*;

    fn array(shape: &[usize]) -> Result<PictureArray, String> {
        PictureArray::of(Header {
            kind: Kind::Unsigned,
            bytes: 1,
            is_big_endian: false,
            shape: shape.to_vec(),
        })
    }

    fn read(shape: &[usize], pixels: &[u8]) -> Result<Vec<Square>, String> {
        let mut bytes = pixels;
        array(shape)?.read(&mut bytes, None, Channels::Auto, &mut |_| {})
    }

    #[test]
    fn channels_may_come_first_or_last() {
        let rgb = Square {
            channels: 3,
            pixels: vec![1, 2, 10, 20, 100, 200],
        };
        let last = read(&[1, 1, 2, 3], &[1, 10, 100, 2, 20, 200]).unwrap();
        let first = read(&[1, 3, 1, 2], &[1, 2, 10, 20, 100, 200]).unwrap();
        assert_eq!((&last[0], &first[0]), (&rgb, &rgb));
        assert_eq!(read(&[1, 2, 2], &[1, 2, 3, 4]).unwrap()[0].channels, 1);
    }

    #[test]
    fn a_size_that_training_takes_is_kept_unless_another_is_asked_for() {
        let side = |height, width, asked| array(&[1, height, width]).unwrap().side(asked);
        assert_eq!(side(32, 32, 0), None);
        assert_eq!(side(25, 25, 0), Some(28));
        assert_eq!(side(64, 48, 0), Some(48));
        assert_eq!(side(32, 32, 64), Some(64));
    }

    #[test]
    fn what_holds_no_pictures_is_refused() {
        for shape in [
            &[5][..],
            &[1, 28, 28, 28],
            &[1, 28, 28, 4],
            &[0, 2, 2],
            &[1, 0, 2],
            &[usize::MAX, 2, 2],
            &[1, usize::MAX, 2],
        ] {
            assert!(array(shape).is_err(), "{shape:?}");
        }
        assert!(
            read(&[2, 1, 1], &[7])
                .unwrap_err()
                .starts_with("picture 1 of 2 cannot be read")
        );
    }
}
