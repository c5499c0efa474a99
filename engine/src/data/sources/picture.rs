//! A picture file, decoded.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView as _, ImageDecoder, ImageError, ImageReader};
use sparring_contract::config::Background;
use sparring_contract::regular::open_regular;

use super::shrink::Flat;

/// Bytes of a picture file at most.
const MOST_FILE_BYTES: u64 = 512 << 20;

/// Pixels of a picture at most: 11,585 by 11,585.
const MOST_PIXELS: u64 = 1 << 27;

/// From so many pixels on, one picture at a time is decoded, so that memory does not grow with the cores.
const LARGE: u64 = 1 << 24;

/// What keeps the decoding of large pictures in bounds.
#[derive(Debug, Default)]
pub(in crate::data) struct Limits {
    one_large: Mutex<()>,
}

/// Width and height as the header of a file tells them.
pub(super) fn size(path: &Path) -> Option<(u32, u32)> {
    let measure = || {
        let file = BufReader::new(open_regular(path).ok()?);
        let mut reader = ImageReader::new(file).with_guessed_format().ok()?;
        reader.limits(decoder_limits());
        reader.into_dimensions().ok()
    };
    catch_unwind(measure).ok()?
}

/// Decodes the first picture of a file, turned as its Exif orientation says, opaque over the background, 8 bits a
/// channel. The error is a reason in words.
pub(in crate::data) fn decode(
    path: &Path,
    background: Background,
    limits: &Limits,
) -> Result<Flat, String> {
    // A decoder that panics on a hostile file costs that file and no more.
    catch_unwind(AssertUnwindSafe(|| try_decode(path, background, limits)))
        .unwrap_or_else(|_| Err("its decoder failed".to_owned()))
}

fn try_decode(path: &Path, background: Background, limits: &Limits) -> Result<Flat, String> {
    let file = open_regular(path).map_err(|error| error.to_string())?;
    match file.metadata().map_err(|error| error.to_string())?.len() {
        0 => return Err("it is empty".to_owned()),
        bytes if bytes > MOST_FILE_BYTES => {
            return Err(format!(
                "it has {} MB, and the limit is {}",
                bytes / 1_000_000,
                MOST_FILE_BYTES / 1_000_000
            ));
        }
        _ => {}
    }
    let mut reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    reader.limits(decoder_limits());
    let mut decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS {
        return Err(format!(
            "it is {width}x{height}, and the limit is {} million pixels",
            MOST_PIXELS / 1_000_000
        ));
    }
    let _alone = (pixels >= LARGE).then(|| {
        limits
            .one_large
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    });
    // A picture whose Exif data is broken is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(reason)?;
    picture.apply_orientation(orientation);
    Ok(flatten(picture, background))
}

fn decoder_limits() -> image::Limits {
    let mut limits = image::Limits::default();
    // Eight bytes a pixel at most (16 bits, RGBA), and as much again for a decoder's own buffers.
    limits.max_alloc = Some(16 * MOST_PIXELS);
    limits
}

/// Lays a picture over the background. Grey ones stay grey where the background shows nothing else.
fn flatten(picture: DynamicImage, Background(background): Background) -> Flat {
    let (width, height) = picture.dimensions();
    let colour = picture.color();
    let (channels, pixels) = if colour.has_alpha() {
        let rgba = picture.into_rgba8().into_raw();
        let (rgba, _) = rgba.as_chunks::<4>();
        (
            3,
            rgba.iter()
                .flat_map(|pixel| over(*pixel, background))
                .collect(),
        )
    } else if colour.has_color() {
        (3, picture.into_rgb8().into_raw())
    } else {
        (1, picture.into_luma8().into_raw())
    };
    Flat {
        channels,
        width,
        height,
        pixels,
    }
}

/// A pixel over an opaque colour: `alpha · pixel + (1 − alpha) · colour`, rounded.
fn over([red, green, blue, alpha]: [u8; 4], background: [u8; 3]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    let mix = |pixel: u8, behind: u8| {
        let sum = u32::from(pixel) * alpha + u32::from(behind) * (255 - alpha);
        u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
    };
    [
        mix(red, background[0]),
        mix(green, background[1]),
        mix(blue, background[2]),
    ]
}

/// An error of a decoder in one line.
fn reason(error: ImageError) -> String {
    match error {
        ImageError::Unsupported(_) => {
            "it is no PNG, JPEG, WebP, BMP or GIF that can be decoded".to_owned()
        }
        ImageError::Limits(_) => "it is too large".to_owned(),
        error => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            format!("it is broken: {}", line.trim_end_matches('.'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_transparent_pixel_is_half_the_background() {
        assert_eq!(over([255, 0, 10, 128], [0, 255, 10]), [128, 127, 10]);
        assert_eq!(over([1, 2, 3, 255], [9; 3]), [1, 2, 3]);
        assert_eq!(over([1, 2, 3, 0], [9; 3]), [9; 3]);
    }
}
