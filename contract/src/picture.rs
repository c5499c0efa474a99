//! Grids of pictures as PNG files, grey or RGB.

use std::io::{self, BufRead, Seek, Write};

use crate::protocol::{Pictures, Purpose};

/// How many pictures a grid of a run's fixed noise has, and how many in a row: the tutorial's 4×4.
pub const FIXED_GRID: (u32, u32) = (16, 4);

/// Black pixels between two pictures of a grid.
pub const GRID_GAP: usize = 2;

/// Pictures in rows on one canvas, with [`GRID_GAP`] black pixels between them and none around them.
#[derive(Clone, Debug)]
pub struct PngGrid {
    columns: usize,
    rows: usize,
    channels: usize,
    height: usize,
    width: usize,
    /// How many pictures were added.
    filled: usize,
    /// `[down, across, channels]`.
    canvas: Vec<u8>,
}

impl PngGrid {
    /// A black canvas for `count` pictures of `(channels, height, width)`, with 1 channel for grey or 3 for RGB, and
    /// `columns` of them in a row.
    ///
    /// An empty canvas, another number of channels, and more pixels than a PNG can have are
    /// [`io::ErrorKind::InvalidInput`].
    pub fn new(
        count: usize,
        columns: usize,
        (channels, height, width): (u32, u32, u32),
    ) -> io::Result<Self> {
        let columns = columns.min(count);
        let mut grid = Self {
            columns,
            rows: if columns == 0 {
                0
            } else {
                count.div_ceil(columns)
            },
            channels: channels as usize,
            height: height as usize,
            width: width as usize,
            filled: 0,
            canvas: Vec::new(),
        };
        if !matches!(channels, 1 | 3) || [columns, grid.height, grid.width].contains(&0) {
            return Err(invalid(
                "a PNG takes pictures of 1 or 3 channels, and at least one pixel",
            ));
        }
        let (across, down) = grid.size()?;
        let bytes = (across as usize)
            .checked_mul(down as usize)
            .and_then(|pixels| pixels.checked_mul(grid.channels))
            .ok_or_else(too_large)?;
        grid.canvas = vec![0; bytes];
        Ok(grid)
    }

    /// Adds the next picture, `[channels, height, width]`.
    pub fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        let plane = self.height * self.width;
        if picture.len() != self.channels * plane || self.filled == self.columns * self.rows {
            return Err(invalid(
                "a picture of another size, or one too many, for a PNG",
            ));
        }
        let left = self.filled % self.columns * (self.width + GRID_GAP);
        let top = self.filled / self.columns * (self.height + GRID_GAP);
        let across = self.columns * (self.width + GRID_GAP) - GRID_GAP;
        for (channel, plane) in picture.chunks(plane).enumerate() {
            for (y, line) in plane.chunks(self.width).enumerate() {
                let start = ((top + y) * across + left) * self.channels + channel;
                let places = self.canvas.iter_mut().skip(start).step_by(self.channels);
                for (place, pixel) in places.zip(line) {
                    *place = *pixel;
                }
            }
        }
        self.filled += 1;
        Ok(())
    }

    /// Writes the PNG. Places without a picture stay black.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let (across, down) = self.size()?;
        let mut encoder = png::Encoder::new(to, across, down);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(if self.channels == 1 {
            png::ColorType::Grayscale
        } else {
            png::ColorType::Rgb
        });
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.canvas)?;
        Ok(writer.finish()?)
    }

    /// Pixels across and down.
    fn size(&self) -> io::Result<(u32, u32)> {
        let side = |pictures: usize, pixels: usize| {
            let with_gaps = pictures.checked_mul(pixels.checked_add(GRID_GAP)?)?;
            u32::try_from(with_gaps.checked_sub(GRID_GAP)?).ok()
        };
        side(self.columns, self.width)
            .zip(side(self.rows, self.height))
            .ok_or_else(too_large)
    }
}

/// Writes pictures as one PNG, `columns` of them in a row, with [`GRID_GAP`] black pixels between them.
pub fn write_png_grid(to: impl Write, pictures: &Pictures, columns: usize) -> io::Result<()> {
    if !pictures.is_whole() {
        return Err(invalid(
            "pictures with more or fewer pixels than their sizes say",
        ));
    }
    let shape = (pictures.channels, pictures.height, pictures.width);
    let mut grid = PngGrid::new(pictures.count as usize, columns, shape)?;
    for picture in pictures.pixels.chunks(pictures.picture_bytes()) {
        grid.add(picture)?;
    }
    grid.write(to)
}

fn too_large() -> io::Error {
    invalid("a grid of pictures is larger than a PNG can be")
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// Reads `count` pictures back from a grid with `columns` in a row. The file does not say which noise and step they are
/// from, so the caller does; it has no labels either.
///
/// A file that is not such a grid is [`io::ErrorKind::InvalidData`].
pub fn read_png_grid(
    from: impl BufRead + Seek,
    count: u32,
    columns: u32,
    (purpose, step): (Purpose, u64),
) -> io::Result<Pictures> {
    let mut reader = png::Decoder::new(from).read_info()?;
    let other = || io::Error::new(io::ErrorKind::InvalidData, "this PNG is not such a grid");
    let mut grid = vec![0; reader.output_buffer_size().ok_or_else(other)?];
    let info = reader.next_frame(&mut grid)?;
    let channels = match (info.color_type, info.bit_depth) {
        (png::ColorType::Grayscale, png::BitDepth::Eight) => 1,
        (png::ColorType::Rgb, png::BitDepth::Eight) => 3,
        _ => return Err(other()),
    };
    let (many, columns) = (count as usize, columns as usize);
    let side = |pixels: u32, pictures: usize| {
        let gaps = pictures.checked_sub(1)? * GRID_GAP;
        let without_gaps = (pixels as usize).checked_sub(gaps)?;
        let whole = without_gaps > 0 && without_gaps.is_multiple_of(pictures);
        whole.then(|| without_gaps / pictures)
    };
    let width = side(info.width, columns).ok_or_else(other)?;
    let height = side(info.height, many.div_ceil(columns.max(1))).ok_or_else(other)?;

    let mut pixels = Vec::new();
    for picture in 0..many {
        let (row, column) = (picture / columns, picture % columns);
        // In a PNG the channels of a pixel stand together; in a picture each channel is a plane.
        for (channel, line) in
            (0..channels).flat_map(|channel| (0..height).map(move |line| (channel, line)))
        {
            let y = row * (height + GRID_GAP) + line;
            let x = column * (width + GRID_GAP);
            let first = (y * info.width as usize + x) * channels + channel;
            for at in (0..width).map(|pixel| first + pixel * channels) {
                pixels.push(*grid.get(at).ok_or_else(other)?);
            }
        }
    }
    // Each is part of a side that was a u32.
    let small = |side: usize| u32::try_from(side).map_err(|_| other());
    Ok(Pictures {
        purpose,
        seed: 0,
        step,
        count,
        channels: small(channels)?,
        height: small(height)?,
        width: small(width)?,
        pixels,
        labels: Vec::new(),
        parts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(count: u32, channels: u32, height: u32, width: u32, pixels: &[u8]) -> Pictures {
        Pictures {
            purpose: Purpose::Fresh,
            seed: 0,
            step: 0,
            count,
            channels,
            height,
            width,
            pixels: pixels.to_vec(),
            labels: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn read_back(bytes: &[u8]) -> (u32, u32, png::ColorType, Vec<u8>) {
        let mut reader = png::Decoder::new(io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, info.color_type, pixels)
    }

    #[test]
    fn grey_pictures_stand_in_rows_with_black_between_them() {
        let three = pictures(3, 1, 2, 2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let mut file = Vec::new();
        write_png_grid(&mut file, &three, 2).unwrap();
        let (width, height, color, pixels) = read_back(&file);
        assert_eq!((width, height, color), (6, 6, png::ColorType::Grayscale));
        #[rustfmt::skip]
        assert_eq!(pixels, [
             1,  2, 0, 0, 5, 6,
             3,  4, 0, 0, 7, 8,
             0,  0, 0, 0, 0, 0,
             0,  0, 0, 0, 0, 0,
             9, 10, 0, 0, 0, 0,
            11, 12, 0, 0, 0, 0,
        ]);
    }

    #[test]
    fn the_planes_of_a_colour_picture_become_its_pixels() {
        let one = pictures(1, 3, 2, 1, &[1, 2, 10, 20, 100, 200]);
        let mut file = Vec::new();
        write_png_grid(&mut file, &one, 8).unwrap();
        let (width, height, color, pixels) = read_back(&file);
        assert_eq!((width, height, color), (1, 2, png::ColorType::Rgb));
        assert_eq!(pixels, [1, 10, 100, 2, 20, 200]);
    }

    #[test]
    fn what_is_not_a_picture_is_refused() {
        let kind = |pictures: &Pictures, columns| {
            write_png_grid(Vec::new(), pictures, columns)
                .unwrap_err()
                .kind()
        };
        assert_eq!(
            kind(&pictures(2, 1, 1, 1, &[0]), 1),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            kind(&pictures(1, 2, 1, 1, &[0, 0]), 1),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            kind(&pictures(0, 1, 1, 1, &[]), 1),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(
            kind(&pictures(1, 1, 1, 1, &[0]), 0),
            io::ErrorKind::InvalidInput
        );
        let mut grid = PngGrid::new(1, 1, (1, 1, 1)).unwrap();
        grid.add(&[0]).unwrap();
        assert!(grid.add(&[0]).is_err());
        assert!(PngGrid::new(4, 2, (1, u32::MAX, 1)).is_err());
    }

    #[test]
    fn a_grid_reads_back_as_what_was_written() {
        for channels in [1, 3] {
            let size = usize::try_from(5 * channels * 3 * 2).unwrap();
            let pixels: Vec<u8> = (0..size)
                .map(|pixel| u8::try_from(pixel).unwrap())
                .collect();
            let five = pictures(5, channels, 3, 2, &pixels);
            let mut png = Vec::new();
            write_png_grid(&mut png, &five, 2).unwrap();
            let read = |count, columns| {
                read_png_grid(io::Cursor::new(&png), count, columns, (Purpose::Fresh, 0))
            };
            assert_eq!(read(5, 2).unwrap(), five);
            assert_eq!(read(5, 3).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(read(0, 0).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
