//! Where a run's worker is: `worker.json` in the run's directory, and the socket that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::{Run, RunError, write_private};

/// Which process trains a run, and how to reach it. Only the lock says whether it still does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Name of the host.
    pub host: String,
    /// The kernel's id of this boot, where it has one; a process id means nothing after the next.
    pub boot: String,
    /// Its process.
    pub pid: u32,
    /// When it took the run, seconds since 1970.
    pub since: f64,
    /// The Unix socket on which it listens.
    pub socket: PathBuf,
    /// Its build id.
    pub build: String,
}

impl Presence {
    /// Whether it was written on this host since it was last booted.
    pub fn is_here(&self) -> bool {
        self.host == host() && self.boot == boot()
    }
}

impl Run {
    /// The file in which a worker announces itself.
    pub fn presence_file(&self) -> PathBuf {
        self.dir().join("worker.json")
    }

    /// The worker that last took the run.
    pub fn presence(&self) -> Option<Presence> {
        serde_json::from_slice(&fs::read(self.presence_file()).ok()?).ok()
    }

    /// Tells faces where this worker is. Only the worker that holds the lock may.
    pub fn write_presence(&self, presence: &Presence) -> io::Result<()> {
        let text = serde_json::to_vec(presence)?;
        write_private(&self.presence_file(), |file| {
            io::Write::write_all(file, &text)
        })
        .map(drop)
    }

    /// Where the worker of this run listens. The name is short, since the path of a socket holds 107 bytes, and made
    /// from the run's directory, so that it is the same for every worker of the run.
    pub fn socket_path(&self) -> PathBuf {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.dir().hash(&mut hasher);
        socket_dir().join(format!("{:016x}", hasher.finish()))
    }
}

/// The user's folder of sockets. Not in `XDG_RUNTIME_DIR`: that is unset in many sessions and goes with the last
/// logout, which a worker outlives.
pub fn socket_dir() -> PathBuf {
    PathBuf::from(format!(
        "/tmp/sparring-{}",
        rustix::process::geteuid().as_raw()
    ))
}

/// Makes the user's folder of sockets, or checks the one that is there: a folder of somebody else, or open to others,
/// could serve a socket of theirs.
pub fn secure_socket_dir() -> Result<(), RunError> {
    let dir = socket_dir();
    let io = |error: rustix::io::Errno| RunError::io("use", &dir, error.into());
    match rustix::fs::mkdir(&dir, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => check_socket_dir(&dir),
        Err(error) => Err(io(error)),
    }
}

fn check_socket_dir(dir: &Path) -> Result<(), RunError> {
    let io = |error: rustix::io::Errno| RunError::io("use", dir, error.into());
    // A symbolic link is refused: it could point anywhere.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(dir, flags, Mode::empty()).map_err(io)?;
    let found = rustix::fs::fstat(&folder).map_err(io)?;
    let owned = found.st_uid == rustix::process::geteuid().as_raw();
    let others = Mode::RWXG | Mode::RWXO;
    if owned && !Mode::from_raw_mode(found.st_mode).intersects(others) {
        Ok(())
    } else {
        Err(RunError::UnsafeSocketDir {
            path: dir.to_owned(),
        })
    }
}

/// Name of this host.
pub fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The kernel's id of this boot; empty where there is none.
pub fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}
