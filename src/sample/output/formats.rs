//! One sink for each format.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sparring_contract::picture::PngGrid;

use super::whole::WholeFile;
use crate::sample::archive::Archive;
use crate::sample::{Shape, npy};

/// Takes pictures one by one. What is not finished leaves nothing behind.
pub trait Sink {
    /// Adds the next picture, `[channels, height, width]`.
    fn add(&mut self, picture: &[u8]) -> io::Result<()>;

    /// Gives the file its name and returns its size in bytes.
    fn finish(self: Box<Self>) -> io::Result<u64>;
}

/// One PNG with all pictures in a grid.
pub struct Grid {
    grid: PngGrid,
    file: WholeFile,
}

/// A `.npz` with one array `images` of bytes: `[n, height, width]`, or `[n, height, width, 3]` for RGB.
pub struct Npz {
    zip: Archive<WholeFile>,
    channels: usize,
    /// A picture with its channels last.
    turned: Vec<u8>,
}

/// Pictures as in MNIST's files (<http://yann.lecun.com/exdb/mnist/>, «IDX file format»): a magic number, the sizes, the
/// pixels.
pub struct Idx<W> {
    file: W,
}

impl Grid {
    pub fn new(file: WholeFile, count: usize, columns: usize, shape: Shape) -> io::Result<Self> {
        Ok(Self {
            grid: PngGrid::new(count, columns, shape.sizes())?,
            file,
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
    pub fn new(file: WholeFile, count: u64, shape: Shape) -> io::Result<Self> {
        let header = npy::header(&npy::sizes(count, shape.sizes()));
        let bytes = shape
            .bytes()
            .saturating_mul(count)
            .saturating_add(header.len() as u64);
        let mut zip = Archive::new(file);
        zip.start("images.npy", bytes)?;
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
        npy::channels_last(picture, self.channels, &mut self.turned);
        self.zip.write_all(&self.turned)
    }

    fn finish(self: Box<Self>) -> io::Result<u64> {
        self.zip.finish()?.keep()
    }
}

/// A file that is compressed as it is written.
pub fn gzip(file: WholeFile) -> GzEncoder<WholeFile> {
    GzEncoder::new(file, Compression::default())
}

/// A writer that ends in a file.
pub trait Finish: Write {
    /// Writes what is left and returns the file.
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
    pub fn new(
        file: WholeFile,
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
        let mut file = through(file);
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
