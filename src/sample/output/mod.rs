//! Single files of pictures, in a format that follows from their ending.

mod animation;
mod formats;
mod whole;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sparring_contract::run::folder_of;

use super::Shape;
use crate::terminal::gallery::square_side;

use formats::Sink;

pub use whole::{Existing, WholeFile};

/// The most pictures in one grid or animation, which is held in memory.
const MOST_IN_MEMORY: u64 = 10_000;

/// A file to write pictures to.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    format: Format,
    existing: Existing,
}

/// How pictures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One grid.
    Png,
    /// An animation.
    Gif,
    /// An animation as a PNG; its colours are exact.
    Apng,
    /// An array for `numpy.load`.
    Npz,
    /// As in MNIST's file of pictures.
    Idx {
        /// Whether it is compressed.
        gzip: bool,
    },
}

impl Format {
    /// Whether it shows one picture after another, again and again.
    pub fn is_animation(self) -> bool {
        matches!(self, Self::Gif | Self::Apng)
    }

    /// The format of a file by the ending of its name. `None` for a folder: one that exists, a path that ends in `/`, or
    /// a name without an ending.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Ok(None);
        }
        if name.ends_with("idx3-ubyte") {
            return Ok(Some(Self::Idx { gzip: false }));
        }
        if name.ends_with("idx3-ubyte.gz") {
            return Ok(Some(Self::Idx { gzip: true }));
        }
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("png") => Ok(Some(Self::Png)),
            Some("gif") => Ok(Some(Self::Gif)),
            Some("apng") => Ok(Some(Self::Apng)),
            Some("npz") => Ok(Some(Self::Npz)),
            None => Ok(None),
            Some(_) => bail!(
                "{} has an ending that sparring cannot write; use .png (one grid), .gif or .apng (an animation), .npz, .idx3-ubyte, .idx3-ubyte.gz, \
                 or a folder, with / at its end",
                path.display()
            ),
        }
    }
}

impl Destination {
    /// A file for `count` pictures of one shape. Whatever is known to fail fails here, before a worker starts.
    pub fn new(
        path: &Path,
        format: Format,
        existing: Existing,
        count: u64,
        shape: Shape,
    ) -> Result<Self> {
        let shown = path.display();
        if existing == Existing::Keep && path.exists() {
            bail!("{shown} is there already; give another name, or --force to replace it");
        }
        let kind = match format {
            Format::Png => Some("grid"),
            Format::Gif | Format::Apng => Some("animation"),
            Format::Npz | Format::Idx { .. } => None,
        };
        if let Some(kind) = kind.filter(|_| count > MOST_IN_MEMORY) {
            bail!(
                "{count} pictures are too many for the {kind} {shown}, which takes up to {MOST_IN_MEMORY}; write them to \
                 .npz, .idx3-ubyte or a folder"
            );
        }
        if matches!(format, Format::Idx { .. }) && shape.channels != 1 {
            bail!("{shown} cannot hold pictures in colour; write them to .npz, .png or a folder");
        }
        let parent = folder_of(path);
        if !parent.is_dir() {
            bail!(
                "there is no folder {} for {shown}; make it first",
                parent.display()
            );
        }
        Ok(Self {
            path: path.to_owned(),
            format,
            existing,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts to write `count` pictures of one shape; `columns` is for a grid, which is square without it.
    pub fn open(&self, count: u64, columns: Option<u16>, shape: Shape) -> Result<Box<dyn Sink>> {
        self.sink(count, columns, shape)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn sink(&self, count: u64, columns: Option<u16>, shape: Shape) -> io::Result<Box<dyn Sink>> {
        let file = WholeFile::create(&self.path, self.existing)?;
        Ok(match self.format {
            Format::Png => {
                let pictures = usize::try_from(count).unwrap_or(usize::MAX);
                let columns = columns
                    .map_or_else(|| square_side(pictures), usize::from)
                    .max(1);
                Box::new(formats::Grid::new(file, pictures, columns, shape)?)
            }
            Format::Gif => Box::new(animation::Gif::new(file, shape)?),
            Format::Apng => Box::new(animation::Apng::new(file, shape)),
            Format::Npz => Box::new(formats::Npz::new(file, count, shape)?),
            Format::Idx { gzip: false } => {
                Box::new(formats::Idx::new(file, count, shape, |file| file)?)
            }
            Format::Idx { gzip: true } => {
                Box::new(formats::Idx::new(file, count, shape, formats::gzip)?)
            }
        })
    }
}

#[cfg(test)]
mod tests;
