//! The lock of a run: a POSIX record lock, which the kernel drops with the process that held it, which works on
//! shared file systems, and of which anyone can ask the holder without taking it.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::{Run, RunError};

/// Permissions of a lock that only its owner can take.
const OWNER: u32 = 0o600;

/// Proof that this process holds a run, wherever its directory is moved. Dropping it releases the run.
///
/// The kernel forgets a process's record locks when the process closes any handle of the file, so the file must not
/// be opened a second time while the lock is held.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The run where it was when it was taken.
    run: Run,
    /// Device and inode of its directory.
    directory: (u64, u64),
}

impl Run {
    /// Takes the run for this process; refused while another process has it, and if it belongs to another user. Takes the
    /// rights of others off it.
    pub fn lock(&self) -> Result<Lock, RunError> {
        let mut how = OpenOptions::new();
        how.create(true).truncate(false);
        self.take(how)?.ok_or_else(|| self.removed())
    }

    /// Takes what somebody left behind, unless it never had a lock, or has none any more because another process removes
    /// it: `None`. Makes nothing in it.
    pub(super) fn lock_if_there(&self) -> Result<Option<Lock>, RunError> {
        self.take(OpenOptions::new())
    }

    fn take(&self, how: OpenOptions) -> Result<Option<Lock>, RunError> {
        match secure(&self.dir).and_then(|()| Lock::take(self, how)) {
            Err(RunError::Io { error, .. }) if error.kind() == ErrorKind::NotFound => Ok(None),
            taken => taken.map(Some),
        }
    }

    fn removed(&self) -> RunError {
        RunError::Removed {
            name: self.name().to_owned(),
        }
    }

    /// The process that has the run, if one has.
    pub fn holder(&self) -> Option<u32> {
        holder(self)
    }
}

impl Lock {
    fn take(run: &Run, mut how: OpenOptions) -> Result<Self, RunError> {
        let path = &lock_file(run);
        let file = how
            .write(true)
            .mode(OWNER)
            .open(path)
            .map_err(|error| RunError::io("open", path, error))?;
        // Whoever can read the file can lock it. Older builds let everybody do so.
        file.set_permissions(Permissions::from_mode(OWNER))
            .map_err(|error| RunError::io("take the rights of others off", path, error))?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let directory = fs::metadata(run.dir())
                    .map_err(|error| RunError::io("read", run.dir(), error))?;
                let lock = Self {
                    file,
                    directory: identity(&directory),
                    run: run.clone(),
                };
                // Whoever removed the run while the file was being opened had the lock until now.
                lock.is_in(run).then_some(lock).ok_or_else(|| run.removed())
            }
            Err(Errno::AGAIN | Errno::ACCESS) => Err(RunError::InUse {
                name: run.name().to_owned(),
                pid: holder(run).unwrap_or_default(),
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

    /// The run where it is now: its directory can be moved while it is held. `None` if it was removed; another process
    /// may have a run of the same name then.
    pub fn place(&self) -> Option<Run> {
        if self.is_in(&self.run) {
            return Some(self.run.clone());
        }
        // The kernel follows the file.
        let link = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let moved = Run::open(fs::read_link(link).ok()?.parent()?)?;
        self.is_in(&moved).then_some(moved)
    }

    /// The run where it is now, or where it was if it was removed.
    pub fn run(&self) -> Run {
        self.place().unwrap_or_else(|| self.run.clone())
    }

    /// Whether the run is where it was, and only its lock was removed. Another worker can take it then.
    pub fn is_lost(&self) -> bool {
        let directory = fs::metadata(self.run.dir());
        !lock_file(&self.run).exists()
            && directory.is_ok_and(|directory| identity(&directory) == self.directory)
    }

    fn is_in(&self, run: &Run) -> bool {
        match (self.file.metadata(), fs::metadata(lock_file(run))) {
            (Ok(own), Ok(there)) => identity(&own) == identity(&there),
            _ => false,
        }
    }
}

/// Device and inode: what stays the same when a file is moved.
pub(super) fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

fn lock_file(run: &Run) -> PathBuf {
    run.dir().join("lock")
}

/// The process that holds a run; `None` if there is none or it cannot be found out.
fn holder(run: &Run) -> Option<u32> {
    let file = OpenOptions::new().read(true).open(lock_file(run)).ok()?;
    let question = Flock::from(FlockType::ReadLock);
    let found = fcntl_getlk(&file, &question).ok()??;
    // A lock held on another host of a shared file system has no process here.
    Some(
        found
            .pid
            .map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs()),
    )
}

/// Refuses a run of another user, and takes the rights of others off an own one: a run is its owner's alone.
fn secure(dir: &Path) -> Result<(), RunError> {
    let found = fs::metadata(dir).map_err(|error| RunError::io("read", dir, error))?;
    let own = rustix::process::geteuid();
    if found.uid() != own.as_raw() && !own.is_root() {
        return Err(RunError::Foreign {
            path: dir.to_owned(),
        });
    }
    let others = Mode::RWXG | Mode::RWXO;
    if !Mode::from_raw_mode(found.mode()).intersects(others) {
        return Ok(());
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))
        .map_err(|error| RunError::io("take the rights of others off", dir, error))
}
