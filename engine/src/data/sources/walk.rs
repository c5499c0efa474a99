//! What lies in a folder of pictures.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::data::DataError;

/// Endings of picture files.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// The file that gives the pictures of a folder their labels.
pub(super) const LABELS: &str = "labels.csv";

/// Folders within each other, at most.
const DEPTH: usize = 32;

/// A file, and what changes when its contents do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Stamp {
    /// Where it is.
    pub(in crate::data) path: PathBuf,
    /// Where it is within the data set.
    pub(in crate::data) relative: PathBuf,
    pub(in crate::data) bytes: u64,
    /// Seconds and nanoseconds since 1970 of the last change of its contents, and of anything of it. The latter cannot
    /// be set back by who writes a file.
    pub(in crate::data) changed: [i64; 4],
}

impl Stamp {
    /// That of a file.
    pub(in crate::data) fn of(path: &Path, relative: PathBuf) -> io::Result<Self> {
        Ok(Self::from(path, relative, &fs::metadata(path)?))
    }

    fn from(path: &Path, relative: PathBuf, about: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            relative,
            bytes: about.len(),
            changed: [
                about.mtime(),
                about.mtime_nsec(),
                about.ctime(),
                about.ctime_nsec(),
            ],
        }
    }
}

/// What lies in a folder, everything sorted by name.
#[derive(Debug, Default)]
pub(in crate::data) struct Walk {
    /// Files that are pictures by their names.
    pub(in crate::data) pictures: Vec<Stamp>,
    /// Folders directly in it.
    pub(super) folders: Vec<OsString>,
    /// The file of labels directly in it.
    pub(super) labels: Option<Stamp>,
    /// What cannot be read, and why.
    pub(in crate::data) bad: Vec<(PathBuf, String)>,
    /// Number of files that are no pictures by their names, and the first of them.
    pub(super) others: (u64, PathBuf),
    /// Folders that were met a second time by a link.
    pub(super) repeated: Vec<PathBuf>,
    /// Device and inode of folders that were met.
    met: HashSet<(u64, u64)>,
}

impl Walk {
    /// Everything that the pictures and labels depend on.
    pub(super) fn stamps(&self) -> Vec<Stamp> {
        self.pictures.iter().chain(&self.labels).cloned().collect()
    }

    fn visit(&mut self, folder: &Path, relative: &Path, depth: usize) -> io::Result<()> {
        let about = fs::metadata(folder)?;
        if !self.met.insert((about.dev(), about.ino())) {
            self.repeated.push(relative.to_owned());
            return Ok(());
        }
        let mut names: Vec<OsString> = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>()?;
        // By their bytes, so that the order is the same in every language.
        names.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        for name in names {
            if is_hidden(&name) {
                continue;
            }
            let (path, relative) = (folder.join(&name), relative.join(&name));
            match fs::metadata(&path) {
                Err(error) => self.bad.push((relative, error.to_string())),
                Ok(about) if about.is_dir() => {
                    if depth == 0 {
                        self.folders.push(name);
                    }
                    if depth == DEPTH {
                        let reason = format!("it lies more than {DEPTH} folders deep");
                        self.bad.push((relative, reason));
                    } else if let Err(error) = self.visit(&path, &relative, depth + 1) {
                        self.bad.push((relative, error.to_string()));
                    }
                }
                Ok(about) if is_picture_name(&path) => {
                    if about.is_file() {
                        self.pictures.push(Stamp::from(&path, relative, &about));
                    } else {
                        // To open a pipe would wait for a writer.
                        self.bad
                            .push((relative, "it is no regular file".to_owned()));
                    }
                }
                // Whatever it is: a file that cannot be read is not left out in silence.
                Ok(about) if depth == 0 && name == LABELS => {
                    self.labels = Some(Stamp::from(&path, relative, &about));
                }
                Ok(_) => {
                    if self.others.0 == 0 {
                        self.others.1 = relative;
                    }
                    self.others.0 += 1;
                }
            }
        }
        Ok(())
    }
}

/// Lists a folder with all folders in it. Links are followed, each folder is taken once; hidden files are passed over.
pub(in crate::data) fn walk(folder: &Path) -> Result<Walk, DataError> {
    let mut walk = Walk::default();
    walk.visit(folder, Path::new(""), 0)
        .map_err(|error| DataError::unreadable(folder, error))?;
    Ok(walk)
}

/// Whether a file is a picture by its name.
pub(in crate::data) fn is_picture_name(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Files of systems and programs, such as `.DS_Store`.
fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".") || name == "__MACOSX"
}
