//! Files of pictures, chosen by their ending.

mod formats;
mod whole;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::replies::Shape;
use crate::terminal::gallery::square_side;

/// The most pictures of a grid: more are seen better in a folder, and a grid is held in memory.
const MOST_IN_A_GRID: u64 = 10_000;

/// What can be written.
const ENDINGS: &str =
    ".png (one grid), .npz, .idx3-ubyte, .idx3-ubyte.gz, or a folder, which ends with /";

/// A file or folder to write pictures to.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    format: Format,
}

/// How pictures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// One grid.
    Png,
    /// An array for `numpy.load`.
    Npz,
    /// The format of MNIST.
    Idx { gzip: bool },
    /// A PNG each.
    Folder,
}

/// Takes pictures one by one. What is not finished leaves nothing behind.
pub trait Sink {
    /// Adds the next picture, `[channels, height, width]`.
    fn add(&mut self, picture: &[u8]) -> io::Result<()>;

    /// Puts everything in its place and tells its size in bytes.
    fn finish(self: Box<Self>) -> io::Result<u64>;
}

impl Destination {
    /// Where a path says that `count` pictures go. Whatever can be known to fail fails here, before there is a
    /// worker to wait for.
    pub fn new(path: &Path, count: u64) -> Result<Self> {
        let format = Format::of(path)?;
        let shown = path.display();
        if format == Format::Png && count > MOST_IN_A_GRID {
            bail!(
                "a grid of {count} pictures is too many for {shown}, which takes up to {MOST_IN_A_GRID}; \
                 write them to .npz, .idx3-ubyte or a folder"
            );
        }
        if format == Format::Folder && path.is_dir() {
            let mut inside = fs::read_dir(path).with_context(|| format!("cannot read {shown}"))?;
            if inside.next().is_some() {
                bail!("the folder {shown} is not empty; name a new one");
            }
        }
        let parent = whole::folder_of(path);
        if !parent.is_dir() {
            bail!(
                "there is no folder {} for {shown}; make it first",
                parent.display()
            );
        }
        Ok(Self {
            path: path.to_owned(),
            format,
        })
    }

    /// Begins to write `count` pictures of one shape; `columns` is for a grid, a square if not given.
    pub fn open(&self, count: u64, columns: Option<u16>, shape: Shape) -> Result<Box<dyn Sink>> {
        if matches!(self.format, Format::Idx { .. }) && shape.channels != 1 {
            bail!(
                "{} cannot hold pictures in colour; write them to .npz, .png or a folder",
                self.path.display()
            );
        }
        self.sink(count, columns, shape)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn sink(&self, count: u64, columns: Option<u16>, shape: Shape) -> io::Result<Box<dyn Sink>> {
        Ok(match self.format {
            Format::Png => {
                let pictures = usize::try_from(count).unwrap_or(usize::MAX);
                let columns = columns
                    .map_or_else(|| square_side(pictures), usize::from)
                    .max(1);
                Box::new(formats::Grid::create(&self.path, pictures, columns, shape)?)
            }
            Format::Npz => Box::new(formats::Npz::create(&self.path, count, shape)?),
            Format::Idx { gzip: false } => {
                Box::new(formats::Idx::create(&self.path, count, shape, |file| file)?)
            }
            Format::Idx { gzip: true } => Box::new(formats::Idx::create(
                &self.path,
                count,
                shape,
                formats::gzip,
            )?),
            Format::Folder => Box::new(formats::Folder::create(&self.path, count, shape)?),
        })
    }
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            Ok(Self::Folder)
        } else if name.ends_with("idx3-ubyte") {
            Ok(Self::Idx { gzip: false })
        } else if name.ends_with("idx3-ubyte.gz") {
            Ok(Self::Idx { gzip: true })
        } else {
            match name.rsplit_once('.').map(|(_, ending)| ending) {
                Some("png") => Ok(Self::Png),
                Some("npz") => Ok(Self::Npz),
                None if !name.is_empty() => Ok(Self::Folder),
                _ => bail!(
                    "the ending of {} is none that can be written; use {ENDINGS}",
                    path.display()
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests;
