//! Data sets: pictures with their labels and a manifest, in a folder of their own.

mod arrays;
mod class_folders;
mod folder;
mod layout;
mod manifest;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sparring_contract::protocol::Pictures;

use super::Draw;
use folder::Folder;
use layout::Layout;
use manifest::sha256;

pub use manifest::{Format, Manifest};

/// Labels are bytes in IDX and in MedMNIST's arrays.
const MOST_BYTE_LABELS: usize = 256;

/// A data set that is being written.
pub struct Dataset {
    folder: Folder,
    manifest: Manifest,
    layout: Box<dyn Layout>,
    next: u64,
    checkpoint: PathBuf,
    /// Whether the checkpoint was compared once more after the worker had read it.
    is_same_checkpoint: bool,
}

impl Dataset {
    /// Opens a folder for the pictures of `draw`, to begin a data set or go on with it. `None` if it is all there.
    ///
    /// Whatever is known to fail fails here, before a worker starts, and leaves the folder as it was.
    pub fn open(draw: &Draw, path: &Path, format: Format, any_seed: bool) -> Result<Option<Self>> {
        check_format(draw, format)?;
        let manifest = Manifest::new(draw, format, draw.shape())
            .with_context(|| format!("cannot read {}", draw.checkpoint.display()))?;
        let Some((folder, manifest)) = Folder::open(path, manifest, any_seed)? else {
            return Ok(None);
        };
        let (layout, next) = layout::open(&folder.partial(), &manifest)
            .with_context(|| format!("cannot write to {}", path.display()))?;
        Ok(Some(Self {
            folder,
            manifest,
            layout,
            next,
            checkpoint: draw.checkpoint.clone(),
            is_same_checkpoint: false,
        }))
    }

    /// What the data set is made of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The number of the next picture: how many are there already.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Adds the next pictures, with the labels that the manifest promises.
    pub fn add(&mut self, pictures: &Pictures) -> Result<()> {
        if !self.is_same_checkpoint {
            self.compare_checkpoint()?;
        }
        let size = pictures.picture_bytes();
        for (index, picture) in pictures.pixels.chunks(size).enumerate() {
            let label = pictures.labels.get(index).copied();
            if label != self.manifest.label(self.next) {
                bail!(
                    "the worker's answer makes no sense: picture {} has another label than it was asked for",
                    self.next
                );
            }
            self.layout
                .add(picture, label)
                .with_context(|| format!("cannot write to {}", self.folder.partial().display()))?;
            self.next += 1;
        }
        self.layout
            .flush()
            .with_context(|| format!("cannot write to {}", self.folder.partial().display()))
    }

    /// Writes everything to disk and gives it its final names.
    pub fn finish(self) -> Result<()> {
        self.layout
            .finish()
            .with_context(|| format!("cannot write to {}", self.folder.partial().display()))?;
        self.folder.finish()
    }

    /// A run that trains on can replace a checkpoint between the hash and the worker's reading it. Once pictures come,
    /// the worker has read it: if it is still the same, the manifest tells the truth.
    fn compare_checkpoint(&mut self) -> Result<()> {
        let hash = sha256(&self.checkpoint)
            .with_context(|| format!("cannot read {}", self.checkpoint.display()))?;
        if hash != self.manifest.checkpoint_sha256 {
            bail!(
                "{} was replaced while it was read; repeat the command",
                self.checkpoint.display()
            );
        }
        self.is_same_checkpoint = true;
        Ok(())
    }
}

fn check_format(draw: &Draw, format: Format) -> Result<()> {
    if format == Format::Idx && draw.shape().channels != 1 {
        bail!(
            "readers of IDX expect grey pictures, and these have colours; use --format png or npz"
        );
    }
    let classes = draw.header.conditional_classes().len();
    if format != Format::Png && classes > MOST_BYTE_LABELS {
        bail!(
            "{classes} classes do not fit into labels of one byte; use --format png, which has folders"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
