//! The lock of a run: a POSIX record lock, which the kernel drops with the process that held it, which works on
//! shared file systems, and of which anyone can ask the holder without taking it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::RunError;

/// Permissions of a lock that only its owner can take.
const OWNER: u32 = 0o600;

/// Proof that this process holds a run. Dropping it releases the run.
///
/// The kernel forgets a process's record locks when the process closes any handle of the file, so the file must not
/// be opened a second time while the lock is held.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn take(path: &Path, name: &str) -> Result<Self, RunError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER)
            .open(path)
            .map_err(|error| RunError::io("open", path, error))?;
        // Whoever can read the file can lock it. Older builds let everybody do so.
        file.set_permissions(Permissions::from_mode(OWNER))
            .map_err(|error| RunError::io("take the rights of others off", path, error))?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                file,
                path: path.to_owned(),
            }),
            Err(Errno::AGAIN | Errno::ACCESS) => Err(RunError::InUse {
                name: name.to_owned(),
                pid: holder(path).unwrap_or_default(),
            }),
            Err(error @ (Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL)) => {
                Err(RunError::NoLocks {
                    path: path.to_owned(),
                    error: error.into(),
                })
            }
            Err(error) => Err(RunError::io("lock", path, error.into())),
        }
    }

    /// Whether the locked file is still in the run's directory. If not, the directory was removed, and
    /// another process may have a run of the same name.
    pub fn is_in_place(&self) -> bool {
        let (Ok(own), Ok(there)) = (self.file.metadata(), fs::metadata(&self.path)) else {
            return false;
        };
        (own.dev(), own.ino()) == (there.dev(), there.ino())
    }
}

/// The process that holds the lock; `None` if there is none or it cannot be found out.
pub(super) fn holder(path: &Path) -> Option<u32> {
    let file = OpenOptions::new().read(true).open(path).ok()?;
    let question = Flock::from(FlockType::ReadLock);
    let found = fcntl_getlk(&file, &question).ok()??;
    // A lock held on another host of a shared file system has no process here.
    Some(
        found
            .pid
            .map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs()),
    )
}
