//! The cache of decoded pictures, in the user's cache directory: the worker fills it, the face lists and clears it.
//!
//! Whatever lies in it can be removed at any time.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The cache of decoded data sets: a file each.
#[derive(Clone, Debug)]
pub struct DataCache {
    folder: PathBuf,
}

/// A file of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last written or used.
    pub used: SystemTime,
}

impl DataCache {
    /// Bytes that the cache takes at most.
    pub const LIMIT: u64 = 4 << 30;

    const ENDING: &str = "pixels";

    /// The cache of this user: `$XDG_CACHE_HOME/sparring/data`, or where the system keeps caches otherwise. `None` if
    /// there is no home directory.
    pub fn of_user() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "sparring")?;
        Some(Self::at(dirs.cache_dir().join("data")))
    }

    /// A cache in this folder, which need not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a key, a word of letters and digits.
    pub fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.{}", Self::ENDING))
    }

    /// The files, the most recently used first.
    pub fn entries(&self) -> io::Result<Vec<CacheEntry>> {
        let found = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        let mut entries = Vec::new();
        for file in found {
            let path = file?.path();
            if path.extension().is_none_or(|ending| ending != Self::ENDING) {
                continue;
            }
            match path.symlink_metadata() {
                Ok(about) if about.is_file() => entries.push(CacheEntry {
                    bytes: about.len(),
                    used: about.modified()?,
                    path,
                }),
                // A link is none of the cache's files, and another process may just have removed one.
                _ => {}
            }
        }
        entries.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.path.cmp(&b.path)));
        Ok(entries)
    }

    /// Notes that a file was used now, so that it is kept longer.
    pub fn mark_used(file: &Path) -> io::Result<()> {
        File::open(file)?.set_modified(SystemTime::now())
    }

    /// Removes every file.
    pub fn clear(&self) -> io::Result<()> {
        self.entries()?.iter().try_for_each(CacheEntry::remove)
    }

    /// Removes the least recently used files until the rest take at most `limit` bytes.
    pub fn shrink(&self, limit: u64) -> io::Result<()> {
        let mut kept = 0_u64;
        for entry in self.entries()? {
            kept = kept.saturating_add(entry.bytes);
            if kept > limit {
                entry.remove()?;
            }
        }
        Ok(())
    }
}

impl CacheEntry {
    /// Removes the file. That it is gone already is no error.
    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A cache with files of 10 bytes, the first used last.
    fn cache(names: &[&str]) -> (tempfile::TempDir, DataCache) {
        let home = tempfile::tempdir().unwrap();
        let cache = DataCache::at(home.path().join("data"));
        fs::create_dir(cache.folder()).unwrap();
        for (age, name) in (1..).zip(names) {
            let path = cache.file(name);
            fs::write(&path, [0; 10]).unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_hours(1000 - age);
            File::open(path).unwrap().set_modified(used).unwrap();
        }
        (home, cache)
    }

    fn names(cache: &DataCache) -> Vec<String> {
        let entries = cache.entries().unwrap();
        entries
            .iter()
            .map(|entry| entry.path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_cache_that_is_too_large_loses_what_was_used_longest_ago() {
        let (_home, cache) = cache(&["new", "old", "older"]);
        cache.shrink(29).unwrap();
        assert_eq!(names(&cache), ["new", "old"]);
        cache.shrink(10).unwrap();
        assert_eq!(names(&cache), ["new"]);
    }

    #[test]
    fn clearing_removes_the_files_of_the_cache_and_no_others() {
        let (_home, cache) = cache(&["a", "b"]);
        let other = cache.folder().join("notes.txt");
        fs::write(&other, "mine").unwrap();
        cache.clear().unwrap();
        assert!(names(&cache).is_empty());
        assert!(other.exists());
    }

    #[test]
    fn a_cache_that_was_never_filled_is_empty() {
        let home = tempfile::tempdir().unwrap();
        let cache = DataCache::at(home.path().join("none"));
        assert!(cache.entries().unwrap().is_empty());
        cache.clear().unwrap();
    }
}
