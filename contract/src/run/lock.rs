//! The lock of a run: a POSIX record lock, which the kernel drops with the process that held it, which works on
//! shared file systems, and of which anyone can ask the holder without taking it.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::RunError;

/// A run that this process has. Dropping it gives the run back.
///
/// The kernel forgets a process's record locks when the process closes any handle of the file, so the file must not
/// be opened a second time while the lock is held.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(path: &Path, name: &str) -> Result<Self, RunError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|error| RunError::io("open", path, error))?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Err(RunError::InUse {
                name: name.to_owned(),
                pid: holder(path).unwrap_or_default(),
            }),
            Err(error) => Err(RunError::io("lock", path, error.into())),
        }
    }
}

/// The process that holds the lock; `None` if nobody does or nobody can tell.
pub(super) fn holder(path: &Path) -> Option<u32> {
    let file = OpenOptions::new().read(true).open(path).ok()?;
    let question = Flock::from(FlockType::ReadLock);
    let found = fcntl_getlk(&file, &question).ok()??;
    // A lock of another host on a shared file system has no process here.
    Some(
        found
            .pid
            .map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs()),
    )
}
