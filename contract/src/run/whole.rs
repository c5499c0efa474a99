//! Writing a file, or a folder, whole or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// The beginning of the names of files that are being written. A killed process leaves them behind.
pub const WRITING: &str = ".writing-";

/// A new file's permissions, less the umask.
pub const ANYBODY: u32 = 0o666;

/// Permissions of a file that is its owner's alone.
const OWNER: u32 = 0o600;

/// Writes a file so that a reader, or the next start after a power cut, finds the old one or the new one whole:
/// a temporary file beside it, fsync, rename, fsync of the folder. Returns the size in bytes.
pub fn write_whole(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<u64> {
    write(path, ANYBODY, fill)
}

/// Does the same with a file that only its owner may read, whatever the umask.
pub fn write_private(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<u64> {
    write(path, OWNER, fill)
}

fn write(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<u64> {
    let folder = folder_of(path);
    let mut temporary = tempfile::Builder::new()
        .prefix(WRITING)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    fill(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    let bytes = temporary.as_file().metadata()?.len();
    let temporary = temporary.into_temp_path();
    fs::rename(&temporary, path)?;
    // It has another name now: there is nothing to remove.
    let _ = temporary.keep();
    sync_folder(folder)?;
    Ok(bytes)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and those above it that are missing, each its owner's alone, so that a power cut does not take them
/// back.
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folders(above)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        // Somebody else was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder(above)),
    }
}

/// Removes what killed processes left half written in a folder. Nobody may be writing there.
pub(super) fn remove_half_written(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(WRITING) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The folder that holds a path.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
