//! Pictures one after the other, for ever.

use std::io;

use gif::{Encoder, Frame, Repeat};
use png::{BitDepth, ColorType};

use super::formats::Sink;
use super::whole::WholeFile;
use crate::sample::Shape;

/// Hundredths of a second for which a picture is shown.
const SHOWN: u16 = 8;

/// Small pictures are enlarged by whole numbers until the shorter side has so many pixels: a viewer that shows 28 pixels shows
/// a stamp.
const SIDE: u32 = 224;

/// How gif's colours are chosen, 1 (best) to 30 (fastest).
const QUANTIZING: i32 = 10;

/// An animated GIF. Grey levels are exact, colours are the 256 that fit a picture best.
pub struct Gif {
    encoder: Encoder<WholeFile>,
    shape: Shape,
    scale: u32,
}

/// An animated PNG. Its pictures are kept until it is written.
pub struct Apng {
    file: WholeFile,
    pictures: Vec<u8>,
    shape: Shape,
}

impl Gif {
    pub fn new(file: WholeFile, shape: Shape) -> io::Result<Self> {
        let scale = scale(shape);
        let side = |side: u32| {
            u16::try_from(side * scale)
                .map_err(|_| io::Error::other("a GIF has no pictures of more than 65,535 pixels"))
        };
        let greys: Vec<u8> = (0..=255).flat_map(|level| [level; 3]).collect();
        let palette: &[u8] = if shape.channels == 1 { &greys } else { &[] };
        let encoder = Encoder::new(file, side(shape.width)?, side(shape.height)?, palette);
        let mut encoder = encoder.map_err(io::Error::other)?;
        encoder
            .set_repeat(Repeat::Infinite)
            .map_err(io::Error::other)?;
        Ok(Self {
            encoder,
            shape,
            scale,
        })
    }
}

impl Sink for Gif {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        let pixels = enlarged(picture, self.shape, self.scale);
        let side = |side: u32| u16::try_from(side * self.scale).unwrap_or(u16::MAX);
        let (width, height) = (side(self.shape.width), side(self.shape.height));
        let mut frame = if self.shape.channels == 1 {
            Frame {
                width,
                height,
                buffer: pixels.into(),
                ..Frame::default()
            }
        } else {
            Frame::from_rgb_speed(width, height, &pixels, QUANTIZING)
        };
        frame.delay = SHOWN;
        self.encoder.write_frame(&frame).map_err(io::Error::other)
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.encoder.into_inner().map_err(io::Error::other)?.keep()
    }
}

impl Apng {
    pub fn new(file: WholeFile, shape: Shape) -> Self {
        Self {
            file,
            pictures: Vec::new(),
            shape,
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Self {
            file,
            pictures,
            shape,
        } = self;
        let bytes = usize::try_from(shape.bytes()).map_err(io::Error::other)?;
        let frames = pictures.chunks_exact(bytes.max(1));
        let scale = scale(*shape);
        let mut encoder = png::Encoder::new(file, shape.width * scale, shape.height * scale);
        encoder.set_color(if shape.channels == 1 {
            ColorType::Grayscale
        } else {
            ColorType::Rgb
        });
        encoder.set_depth(BitDepth::Eight);
        encoder.set_animated(u32::try_from(frames.len()).map_err(io::Error::other)?, 0)?;
        encoder.set_frame_delay(SHOWN, 100)?;
        let mut writer = encoder.write_header()?;
        for picture in frames {
            writer.write_image_data(&enlarged(picture, *shape, scale))?;
        }
        Ok(writer.finish()?)
    }
}

impl Sink for Apng {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        self.pictures.extend_from_slice(picture);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<u64> {
        self.write()?;
        self.file.keep()
    }
}

/// By how much pictures are enlarged.
fn scale(shape: Shape) -> u32 {
    SIDE.div_ceil(shape.width.min(shape.height).max(1))
}

/// A picture `[channels, height, width]` with every pixel as a square, its channels last.
fn enlarged(picture: &[u8], shape: Shape, scale: u32) -> Vec<u8> {
    let [channels, height, width, scale] =
        [shape.channels, shape.height, shape.width, scale].map(|size| size as usize);
    let mut pixels = Vec::with_capacity(picture.len() * scale * scale);
    for row in 0..height {
        let begin = pixels.len();
        for column in 0..width {
            for _ in 0..scale {
                let place = |channel| channel * height * width + row * width + column;
                pixels.extend((0..channels).map(|channel| picture[place(channel)]));
            }
        }
        let line = pixels[begin..].to_vec();
        (1..scale).for_each(|_| pixels.extend_from_slice(&line));
    }
    pixels
}
