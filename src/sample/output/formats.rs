//! One sink a format.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sparring_contract::picture::PngGrid;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::Sink;
use super::whole::{WholeFile, WholeFolder};
use crate::sample::replies::Shape;

/// One PNG of all pictures.
pub struct Grid {
    grid: PngGrid,
    file: WholeFile,
}

/// A `.npz` with one array `images` of bytes: `[n, height, width]`, or `[n, height, width, 3]` for RGB.
pub struct Npz {
    zip: ZipWriter<WholeFile>,
    channels: usize,
    /// A picture with its channels last.
    turned: Vec<u8>,
}

/// IDX as MNIST has it (<http://yann.lecun.com/exdb/mnist/>, «IDX file format»): a magic number, the sizes, the
/// pixels.
pub struct Idx<W> {
    file: W,
}

/// A PNG for each picture: `00000.png`, `00001.png` and so on.
pub struct Folder {
    whole: WholeFolder,
    shape: Shape,
    next: u64,
    digits: usize,
    bytes: u64,
}

impl Grid {
    pub fn create(path: &Path, count: usize, columns: usize, shape: Shape) -> io::Result<Self> {
        Ok(Self {
            grid: PngGrid::new(count, columns, shape.sizes())?,
            file: WholeFile::create(path)?,
        })
    }
}

impl Sink for Grid {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        self.grid.add(picture)
    }

    fn finish(mut self: Box<Self>) -> io::Result<u64> {
        self.grid.write(&mut self.file)?;
        self.file.keep()
    }
}

impl Npz {
    pub fn create(path: &Path, count: u64, shape: Shape) -> io::Result<Self> {
        let header = npy_header(count, shape);
        let bytes = shape
            .bytes()
            .saturating_mul(count)
            .saturating_add(header.len() as u64);
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .large_file(bytes > u64::from(u32::MAX));
        let mut zip = ZipWriter::new(WholeFile::create(path)?);
        zip.start_file("images.npy", options)?;
        zip.write_all(&header)?;
        Ok(Self {
            zip,
            channels: shape.channels as usize,
            turned: Vec::new(),
        })
    }
}

impl Sink for Npz {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        if self.channels == 1 {
            return self.zip.write_all(picture);
        }
        self.turned.clear();
        let plane = picture.len() / self.channels;
        for pixel in 0..plane {
            self.turned
                .extend(picture.iter().skip(pixel).step_by(plane));
        }
        self.zip.write_all(&self.turned)
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.zip.finish()?.keep()
    }
}

/// The header of an array of bytes in C order, version 1.0
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn npy_header(count: u64, shape: Shape) -> Vec<u8> {
    let Shape {
        channels,
        height,
        width,
    } = shape;
    let last = if channels == 1 {
        String::new()
    } else {
        format!(", {channels}")
    };
    let mut about = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {height}, {width}{last}), }}"
    );
    // The magic, the version and the length take 10 bytes; with the end of the line they are to fill 64-byte blocks.
    let padded = (10 + about.len() + 1).next_multiple_of(64) - 11;
    about.extend(std::iter::repeat_n(' ', padded - about.len()));
    about.push('\n');
    let length = u16::try_from(about.len()).unwrap_or(u16::MAX);
    [
        b"\x93NUMPY\x01\x00".as_slice(),
        &length.to_le_bytes(),
        about.as_bytes(),
    ]
    .concat()
}

/// A file, compressed on its way.
pub fn gzip(file: WholeFile) -> GzEncoder<WholeFile> {
    GzEncoder::new(file, Compression::default())
}

/// What is left of a writer when all is written.
pub trait Finish: Write {
    /// Writes what is still to be written.
    fn into_file(self) -> io::Result<WholeFile>;
}

impl Finish for WholeFile {
    fn into_file(self) -> io::Result<WholeFile> {
        Ok(self)
    }
}

impl Finish for GzEncoder<WholeFile> {
    fn into_file(self) -> io::Result<WholeFile> {
        self.finish()
    }
}

impl<W: Finish> Idx<W> {
    pub fn create(
        path: &Path,
        count: u64,
        shape: Shape,
        through: impl FnOnce(WholeFile) -> W,
    ) -> io::Result<Self> {
        // 8 for unsigned bytes, 3 for the number of sizes.
        const MAGIC: u32 = 0x0803;
        let count = u32::try_from(count).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "more pictures than IDX can count",
            )
        })?;
        let mut file = through(WholeFile::create(path)?);
        for number in [MAGIC, count, shape.height, shape.width] {
            file.write_all(&number.to_be_bytes())?;
        }
        Ok(Self { file })
    }
}

impl<W: Finish> Sink for Idx<W> {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        self.file.write_all(picture)
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.file.into_file()?.keep()
    }
}

impl Folder {
    pub fn create(path: &Path, count: u64, shape: Shape) -> io::Result<Self> {
        Ok(Self {
            whole: WholeFolder::create(path)?,
            shape,
            next: 0,
            digits: count.saturating_sub(1).to_string().len().max(5),
            bytes: 0,
        })
    }
}

impl Sink for Folder {
    fn add(&mut self, picture: &[u8]) -> io::Result<()> {
        let mut grid = PngGrid::new(1, 1, self.shape.sizes())?;
        grid.add(picture)?;
        let name = format!("{:0digits$}.png", self.next, digits = self.digits);
        let mut file = BufWriter::new(File::create_new(self.whole.file(&name))?);
        grid.write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.bytes += file.metadata()?.len();
        self.next += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.whole.keep()?;
        Ok(self.bytes)
    }
}
