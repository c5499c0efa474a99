//! The folder of a data set, from the first picture to the last.
//!
//! Pictures are collected in the hidden folder [`PARTIAL`] within it. When all are on disk, that folder becomes
//! [`DRAWN`], and its files move out under their final names, the manifest last. So whatever has a final name is whole,
//! and a process that is killed at any moment leaves something that the next one can go on with.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sparring_contract::run::{folder_of, write_whole};
use sparring_contract::text::printable;

use super::manifest::{MANIFEST, Manifest};

/// Holds the pictures of a data set until there are all of them.
const PARTIAL: &str = ".partial";
/// Holds what has still to move out, once there are all of them.
const DRAWN: &str = ".drawn";
/// How names of unfinished files begin.
pub(super) const WRITING: &str = ".writing";

/// The folder of a data set that is being drawn.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held as long as this process writes, so that no other one does.
    _lock: File,
}

/// How far a folder is.
enum Stage {
    /// Nothing is in it.
    Empty,
    /// A data set was begun.
    Partial,
    /// All pictures are drawn, and some may have their final names.
    Drawn,
    /// A data set is in it, or what has its manifest's name.
    Complete,
    /// Something else is in it.
    Other,
}

impl Stage {
    fn of(names: &[OsString]) -> Self {
        let has = |name: &str| names.iter().any(|there| there == name);
        match names {
            [] => Self::Empty,
            [name] if name == PARTIAL => Self::Partial,
            _ if has(PARTIAL) => Self::Other,
            _ if has(DRAWN) => Self::Drawn,
            _ if has(MANIFEST) => Self::Complete,
            _ => Self::Other,
        }
    }
}

impl Folder {
    /// Opens a folder for a data set: a new or empty one, or one in which the same data set was begun. Returns the
    /// manifest of the beginning; with `any_seed`, its seed may differ. `None` if the data set is all there.
    ///
    /// Anything else in the folder is refused and stays as it is.
    pub fn open(
        path: &Path,
        mut manifest: Manifest,
        any_seed: bool,
    ) -> Result<Option<(Self, Manifest)>> {
        let shown = path.display();
        let parent = folder_of(path);
        if !parent.is_dir() {
            bail!(
                "there is no folder {} for {shown}; make it first",
                parent.display()
            );
        }
        if path.exists() && !path.is_dir() {
            bail!("{shown} is a file, and a data set needs a folder; name another");
        }
        let cannot = |what: &str| format!("cannot {what} {shown}");
        if !path.is_dir() {
            fs::create_dir(path).with_context(|| cannot("make"))?;
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock(path)?,
        };
        let names = names(path).with_context(|| cannot("read"))?;
        match Stage::of(&names) {
            Stage::Other => bail!("the folder {shown} is not empty; name a new one"),
            Stage::Empty => {}
            Stage::Partial => {
                manifest = go_on_with(&folder.partial(), manifest, any_seed)?;
            }
            Stage::Drawn => {
                let drawn = path.join(DRAWN);
                let inside = drawn.join(MANIFEST).exists();
                go_on_with(if inside { &drawn } else { path }, manifest, any_seed)?;
                folder.move_out()?;
                return Ok(None);
            }
            Stage::Complete => {
                go_on_with(path, manifest, any_seed)?;
                return Ok(None);
            }
        }
        folder
            .begin(&manifest)
            .with_context(|| cannot("write to"))?;
        Ok(Some((folder, manifest)))
    }

    /// Where the pictures are collected.
    pub fn partial(&self) -> PathBuf {
        self.path.join(PARTIAL)
    }

    fn begin(&self, manifest: &Manifest) -> io::Result<()> {
        fs::create_dir_all(self.partial())?;
        let file = self.partial().join(MANIFEST);
        if file.exists() {
            return Ok(());
        }
        write_whole(&file, |to| {
            serde_json::to_writer_pretty(&mut *to, manifest)?;
            io::Write::write_all(to, b"\n")
        })
        .map(drop)
    }

    /// Gives everything its final name. All of it must be on disk.
    pub fn finish(self) -> Result<()> {
        fs::rename(self.partial(), self.path.join(DRAWN))
            .with_context(|| format!("cannot rename {}", self.partial().display()))?;
        self.move_out()
    }

    fn move_out(&self) -> Result<()> {
        let drawn = self.path.join(DRAWN);
        let mut names =
            names(&drawn).with_context(|| format!("cannot read {}", drawn.display()))?;
        // By the manifest a reader knows that everything is there.
        names.sort_by_key(|name| name == MANIFEST);
        for name in names {
            if name.as_encoded_bytes().starts_with(WRITING.as_bytes()) {
                // A killed process was about to write this; the next one wrote it again.
                fs::remove_file(drawn.join(&name))
                    .with_context(|| format!("cannot remove from {}", drawn.display()))?;
                continue;
            }
            let place = self.path.join(&name);
            if place.exists() {
                bail!(
                    "{} is in the way of the data set in {}; move it away",
                    place.display(),
                    drawn.display()
                );
            }
            fs::rename(drawn.join(&name), &place)
                .with_context(|| format!("cannot write {}", place.display()))?;
        }
        let tidied = fs::remove_dir(&drawn).and_then(|()| File::open(&self.path)?.sync_all());
        tidied.with_context(|| format!("cannot tidy up {}", self.path.display()))
    }
}

/// The manifest of a data set that was begun in `folder`, if it is the one that is wanted; the wanted one if the process
/// that began it was killed before it wrote a manifest.
fn go_on_with(folder: &Path, mut wanted: Manifest, any_seed: bool) -> Result<Manifest> {
    let Some(begun) = Manifest::read(&folder.join(MANIFEST))? else {
        return Ok(wanted);
    };
    if any_seed {
        wanted.seed = begun.seed;
    }
    match wanted.difference(&begun) {
        None => Ok(begun),
        Some(difference) => bail!(
            "{} holds another data set: {}; repeat its command to go on with it, or name another folder",
            folder.display(),
            printable(&difference)
        ),
    }
}

/// Takes a folder for this process alone. Some network file systems have no such locks; there the user must take care.
fn lock(path: &Path) -> Result<File> {
    let folder = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    match folder.try_lock() {
        Err(TryLockError::WouldBlock) => bail!(
            "another sparring writes to {}; wait for it, or name another folder",
            path.display()
        ),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(folder),
    }
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}
