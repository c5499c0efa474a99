//! Finds out what kind of data a path holds, and reads it.

use std::fs;
use std::path::PathBuf;

use sparring_contract::config::DataSource;

use super::loaded::Loaded;
use super::walk::{self, Stamp, Walk};
use super::{folder, idx, mnist, npz, sheet};
use crate::data::parallel::Progress;
use crate::data::{DataError, Part};

/// Data whose kind is known.
#[derive(Debug)]
pub(in crate::data) struct Found {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Idx,
    Folder(Box<Walk>),
    Npz,
    Npy,
    Sheet,
}

/// Finds out what a source is.
pub(in crate::data) fn find(source: &DataSource) -> Result<Found, DataError> {
    let path = PathBuf::from(&source.data);
    let about = fs::metadata(&path).map_err(|error| DataError::unreadable(&path, error))?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let kind = if about.is_dir() {
        if source.tile > 0 {
            return Err(DataError::unusable(
                &path,
                "tile is for a sprite sheet, and this is a folder: name the picture file, or set tile to 0",
            ));
        }
        if idx::has_idx_files(&path)? {
            Kind::Idx
        } else {
            Kind::Folder(Box::new(walk::walk(&path)?))
        }
    } else if !about.is_file() {
        return Err(DataError::unusable(
            &path,
            "it is neither a folder nor a regular file",
        ));
    } else if ending == "npz" {
        Kind::Npz
    } else if ending == "npy" {
        Kind::Npy
    } else if !walk::is_picture_name(&path) {
        Kind::Idx
    } else if source.tile > 0 {
        Kind::Sheet
    } else {
        return Err(DataError::unusable(
            &path,
            "it is one picture: name a folder, or set tile to the side of its tiles if it is a sprite sheet",
        ));
    };
    Ok(Found { path, kind })
}

/// The MNIST inside the program, as the keys of a source want it.
pub(in crate::data) fn embedded(source: &DataSource) -> Result<Loaded, DataError> {
    let loaded = mnist::load()?;
    let fit = |part: Part| Part {
        images: idx::fitted(part.images, source),
        ..part
    };
    Ok(Loaded {
        train: fit(loaded.train),
        test: loaded.test.map(fit),
        ..loaded
    })
}

impl Found {
    /// What tells whether the data has changed since it was decoded; `None` if reading it takes no longer than reading
    /// a cache.
    pub(in crate::data) fn stamps(&self) -> Result<Option<Vec<Stamp>>, DataError> {
        match &self.kind {
            Kind::Idx => Ok(None),
            Kind::Folder(walk) => Ok(Some(walk.stamps())),
            Kind::Npz | Kind::Npy | Kind::Sheet => {
                let stamp = Stamp::of(&self.path, PathBuf::new())
                    .map_err(|error| DataError::unreadable(&self.path, error))?;
                Ok(Some(vec![stamp]))
            }
        }
    }

    /// Reads the data.
    pub(in crate::data) fn load(
        &self,
        source: &DataSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Loaded, DataError> {
        let path = &self.path;
        match &self.kind {
            Kind::Idx => idx::load(path, source),
            Kind::Folder(walk) => folder::load(path, walk, source, progress),
            Kind::Npz => npz::load(path, source, progress),
            Kind::Npy => npz::load_npy(path, source, progress),
            Kind::Sheet => sheet::load(path, source, progress),
        }
    }
}
