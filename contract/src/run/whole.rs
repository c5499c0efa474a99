//! Writing a file whole or not at all.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes a file so that a reader, or the next start after a power cut, finds the old one or the new one whole:
/// a temporary file beside it, fsync, rename, fsync of the folder. Returns the size in bytes.
pub fn write_whole(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<u64> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".writing-")
        // Less the umask, as any new file: a temporary one would be the owner's alone.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    fill(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    let bytes = temporary.as_file().metadata()?.len();
    temporary.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(bytes)
}
