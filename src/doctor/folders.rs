//! Where things are kept, and whether they can be.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock, statvfs};
use rustix::io::Errno;
use serde::Serialize;
use sparring_contract::cache::DataCache;
use sparring_contract::judges::JudgeFolder;
use sparring_contract::run::{Home, secure_socket_dir, socket_dir};

/// A checkpoint of a small run takes less; with less free than this a run would soon be refused one.
const LEAST_FREE: u64 = 50 << 20;

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderUse {
    /// Runs.
    Runs,
    /// The sockets at which runs are reached.
    Sockets,
    /// Decoded pictures.
    Cache,
    /// The user's judges.
    Judges,
}

impl FolderUse {
    /// Whether training needs it: without a cache pictures are decoded each time, and without judges there are fewer
    /// figures.
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Runs | Self::Sockets)
    }
}

/// A folder, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// What it is for.
    #[serde(rename = "for")]
    pub for_what: FolderUse,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it exists; it is made when it is needed.
    pub exists: bool,
    /// Bytes that can still be written there, if known.
    pub free: Option<u64>,
    /// Why nothing can be kept there.
    pub failure: Option<String>,
}

impl Folder {
    /// Looks at the folders of a user. A folder of sockets is made.
    pub fn look(home: &Home) -> Vec<Self> {
        let sockets = secure_socket_dir().err().map(|error| error.to_string());
        let runs = Self::of(FolderUse::Runs, home.dir());
        let runs = Self {
            failure: runs.failure.clone().or_else(|| runs.too_full()),
            ..runs
        };
        let sockets = Self {
            failure: sockets,
            ..Self::of(FolderUse::Sockets, &socket_dir())
        };
        let cache = DataCache::of_user().map(|cache| Self::of(FolderUse::Cache, cache.folder()));
        let judges =
            JudgeFolder::of_user().map(|judges| Self::of(FolderUse::Judges, judges.path()));
        [Some(runs), Some(sockets), cache, judges]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Looks at a folder, or, where it does not exist yet, at the one in which it would be made.
    fn of(for_what: FolderUse, path: &Path) -> Self {
        let nearest = path.ancestors().find(|path| path.exists()).unwrap_or(path);
        Self {
            for_what,
            path: path.to_owned(),
            exists: path == nearest,
            free: statvfs(nearest)
                .ok()
                .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
            failure: try_to_keep(nearest)
                .err()
                .map(|why| format!("{}: {why}", path.display())),
        }
    }

    fn too_full(&self) -> Option<String> {
        let free = self.free.filter(|free| *free < LEAST_FREE)?;
        Some(format!(
            "{}: {} MB free are too little for checkpoints: make room, or use --runs-dir",
            self.path.display(),
            free >> 20
        ))
    }
}

/// Writes to a file in a folder and locks it, as a run does. The file is gone afterwards.
fn try_to_keep(folder: &Path) -> Result<(), String> {
    if !fs::metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Err(format!("{} is no folder", folder.display()));
    }
    let file: File = tempfile::tempfile_in(folder)
        .map_err(|error| format!("nothing can be written there: {}", plain(&error)))?;
    std::io::Write::write_all(&mut &file, b"doctor")
        .map_err(|error| format!("nothing can be written there: {}", plain(&error)))?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => {
            Err("its file system has no locks, which keep two workers off one run".to_owned())
        }
        Err(error) => Err(format!("a file there cannot be locked: {error}")),
    }
}

/// The system's words, without the path of the file that was tried.
fn plain(error: &std::io::Error) -> String {
    let known = error.raw_os_error().or_else(|| {
        let inner = error.get_ref()?.downcast_ref::<std::io::Error>()?;
        inner.raw_os_error()
    });
    known.map_or_else(
        || error.to_string(),
        |code| std::io::Error::from_raw_os_error(code).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_does_not_exist_is_judged_by_where_it_would_be_made() {
        let home = tempfile::tempdir().unwrap();
        let found = Folder::of(FolderUse::Runs, &home.path().join("a/b"));
        assert_eq!((found.exists, found.failure.clone()), (false, None));
        assert!(found.free.unwrap() > 0);
        let there = Folder::of(FolderUse::Runs, home.path());
        assert_eq!((there.exists, there.failure), (true, None));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_way_is_told() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("runs");
        File::create(&file).unwrap();
        let failure = Folder::of(FolderUse::Runs, &file.join("deeper")).failure;
        let path = file.display();
        assert_eq!(
            failure.unwrap(),
            format!("{path}/deeper: {path} is no folder")
        );
    }

    #[test]
    fn a_full_disk_is_told() {
        let full = Folder {
            for_what: FolderUse::Runs,
            path: "/runs".into(),
            exists: true,
            free: Some(3 << 20),
            failure: None,
        };
        assert_eq!(
            full.too_full().unwrap(),
            "/runs: 3 MB free are too little for checkpoints: make room, or use --runs-dir"
        );
        let roomy = Folder {
            free: Some(LEAST_FREE),
            ..full
        };
        assert_eq!(roomy.too_full(), None);
    }
}
