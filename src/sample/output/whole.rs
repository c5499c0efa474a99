//! Files and folders that are there whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

/// A file that gets its name when it is finished.
pub struct WholeFile {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

/// A folder that gets its name, or whose files get into it, when it is finished.
pub struct WholeFolder {
    folder: TempDir,
    path: PathBuf,
}

/// The folder that a path lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A temporary name; the rights are what the user's umask leaves, not the owner's alone.
fn temporary<T>(
    mode: u32,
    make: impl FnOnce(&tempfile::Builder<'_, 'static>) -> io::Result<T>,
) -> io::Result<T> {
    make(
        tempfile::Builder::new()
            .prefix(".writing-")
            .permissions(Permissions::from_mode(mode)),
    )
}

impl WholeFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = temporary(0o666, |builder| builder.tempfile_in(folder_of(path)))?;
        Ok(Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Gives it its name and tells its size.
    pub fn keep(self) -> io::Result<u64> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        let bytes = file.as_file().metadata()?.len();
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(bytes)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl WholeFolder {
    /// A new folder, or one that is there and empty.
    pub fn create(path: &Path) -> io::Result<Self> {
        let beside = if path.is_dir() { path } else { folder_of(path) };
        Ok(Self {
            folder: temporary(0o777, |builder| builder.tempdir_in(beside))?,
            path: path.to_owned(),
        })
    }

    /// The path of a file in it, for now.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts it in its place. A folder that was there stays the same folder: it may be somebody's working directory.
    pub fn keep(self) -> io::Result<()> {
        if self.path.is_dir() {
            for entry in fs::read_dir(self.folder.path())? {
                let entry = entry?;
                fs::rename(entry.path(), self.path.join(entry.file_name()))?;
            }
            self.folder.close()
        } else {
            fs::rename(self.folder.path(), &self.path)?;
            // It has another name now, so there is nothing to remove.
            let _ = self.folder.keep();
            Ok(())
        }
    }
}
