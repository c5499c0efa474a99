//! Files that are there whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat};
use sparring_contract::run::{ANYBODY, WRITING, folder_of};
use tempfile::{Builder, TempPath};

/// A file that gets its name when it is finished. Dropped before that, it leaves nothing.
pub struct WholeFile {
    file: BufWriter<File>,
    /// Its name until then, where the file system knows no files without one. A killed process leaves it behind.
    named: Option<TempPath>,
    path: PathBuf,
    existing: Existing,
}

/// What becomes of a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is replaced.
    Replace,
    /// It stays, and the new one is an error.
    Keep,
}

impl WholeFile {
    pub fn create(path: &Path, existing: Existing) -> io::Result<Self> {
        let folder = folder_of(path);
        let (file, named) = if let Ok(file) = nameless(folder) {
            (file, None)
        } else {
            let (file, named) = Builder::new()
                .prefix(WRITING)
                // A temporary file would be readable by its owner alone.
                .permissions(Permissions::from_mode(ANYBODY))
                .tempfile_in(folder)?
                .into_parts();
            (file, Some(named))
        };
        Ok(Self {
            file: BufWriter::new(file),
            named,
            path: path.to_owned(),
            existing,
        })
    }

    /// Gives the file its name and returns its size in bytes.
    pub fn keep(self) -> io::Result<u64> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        let named = match self.named {
            Some(named) => named,
            None => Builder::new()
                .prefix(WRITING)
                .make_in(folder_of(&self.path), |path| link(&file, path))?
                .into_temp_path(),
        };
        match self.existing {
            Existing::Replace => named.persist(&self.path),
            Existing::Keep => named.persist_noclobber(&self.path),
        }
        .map_err(|error| error.error)?;
        Ok(bytes)
    }
}

/// A file without a name: the kernel removes it with the process. Linux only, and not on every file system.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::from_raw_mode(ANYBODY))?.into())
}

#[cfg(not(target_os = "linux"))]
fn nameless(_folder: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives a nameless file a name.
fn link(file: &File, path: &Path) -> io::Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
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
