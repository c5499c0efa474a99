//! Writing to the terminal without ever waiting for it: one that stays open and takes no more bytes, such as that of a
//! connection that hangs, must not keep the program from hearing signals and news.

use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::ttyname;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The terminal on stdout.
#[derive(Debug)]
pub struct Output {
    terminal: OwnedFd,
    /// Bytes that the terminal has not taken yet.
    pending: Vec<u8>,
    /// When it last took some, or was given the first of these.
    progress: Instant,
    /// Tells when it takes bytes again, where that can be known.
    readiness: Option<AsyncFd<OwnedFd>>,
}

impl Output {
    /// Opens the terminal on stdout once more: whether a write waits is a property of what was opened, and stdout is
    /// shared with other programs.
    pub fn open() -> io::Result<Self> {
        let stdout = io::stdout();
        let again = ttyname(stdout.as_fd(), Vec::new()).and_then(|name| {
            let path = PathBuf::from(OsString::from_vec(name.into_bytes()));
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty())
        });
        Ok(Self {
            // Where a terminal has no name, as in some containers, writing to it may wait.
            terminal: match again {
                Ok(terminal) => terminal,
                Err(_) => stdout.as_fd().try_clone_to_owned()?,
            },
            pending: Vec::new(),
            progress: Instant::now(),
            readiness: None,
        })
    }

    /// The same, for a program that waits with tokio until the terminal takes bytes again.
    #[must_use]
    pub fn watched(self) -> Self {
        let again = self.terminal.try_clone().ok();
        let readiness = again.and_then(|again| {
            // SAFETY: the descriptor is owned, so it is open for as long as it is watched, and always the same file.
            unsafe { AsyncFd::register_with_interest(again, Interest::WRITABLE) }.ok()
        });
        Self {
            // What cannot be watched is tried again and again.
            readiness,
            ..self
        }
    }

    /// Ends when the terminal may take bytes again; never if that cannot be known.
    pub async fn readiness(&self) {
        match &self.readiness {
            Some(readiness) => match readiness.writable().await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => pending().await,
            },
            None => pending().await,
        }
    }

    /// Writes bytes, as far as the terminal takes them now. The rest is written by [`Output::flush`].
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.is_empty() {
            self.progress = Instant::now();
        }
        self.pending.extend(bytes);
        self.flush().map(drop)
    }

    /// Writes what is left, as far as the terminal takes it now. Returns whether that was all.
    pub fn flush(&mut self) -> io::Result<bool> {
        let mut taken = 0;
        let outcome = loop {
            if taken == self.pending.len() {
                break Ok(true);
            }
            match rustix::io::write(&self.terminal, &self.pending[taken..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => taken += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break Ok(false),
                Err(error) => break Err(error.into()),
            }
        };
        if taken > 0 {
            self.pending.drain(..taken);
            self.progress = Instant::now();
        }
        outcome
    }

    /// For how long the terminal has taken nothing of what waits; zero if nothing waits.
    pub fn stuck_for(&self) -> Duration {
        if self.pending.is_empty() {
            Duration::ZERO
        } else {
            self.progress.elapsed()
        }
    }

    /// Forgets what the terminal has not taken: it will be cleared.
    pub fn forget(&mut self) {
        self.pending.clear();
    }

    /// Writes all that is left, and gives up on a terminal that does not take it in time.
    pub fn finish(&mut self, patience: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while !self.flush()? {
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut question = [PollFd::new(&self.terminal, PollFlags::OUT)];
            match poll(&mut question, Timespec::try_from(left).ok().as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Writes bytes to the terminal on stdout, and gives up on one that does not take them in time.
pub(super) fn write_within(patience: Duration, bytes: &[u8]) -> io::Result<()> {
    let mut output = Output::open()?;
    output.write(bytes)?;
    output.finish(patience)
}
