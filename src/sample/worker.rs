//! A worker program on a pipe.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use sparring_contract::protocol::{FrameError, Pictures, Task, write_frame};

use super::replies::{Replies, ReplyError};

/// How much of the end of a worker's stderr is looked at, and how many lines of it are told.
const TAIL_BYTES: i64 = 4096;
const TAIL_LINES: usize = 3;

/// A worker that was given a task. It ends with this value at the latest.
pub struct Worker {
    child: Child,
    /// Kept open: by its end the worker learns that nobody waits any more.
    input: Option<ChildStdin>,
    replies: Replies<BufReader<ChildStdout>>,
    /// What it says beside its answer. libtorch has warnings for everybody, so they are told only if it dies.
    stderr: File,
}

impl Worker {
    /// Starts a worker and gives it a task of so many pictures.
    pub fn start(mut command: Command, task: &Task, wanted: u64) -> Result<Self> {
        let stderr = tempfile::tempfile().context("cannot make a temporary file")?;
        let also_stderr = stderr
            .try_clone()
            .context("cannot share a temporary file")?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(also_stderr)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start the worker {}",
                    command.get_program().display()
                )
            })?;
        let mut input = child.stdin.take().context("the worker has no stdin")?;
        let output = child.stdout.take().context("the worker has no stdout")?;
        let sent = write_frame(&mut input, task);
        let worker = Self {
            child,
            input: Some(input),
            replies: Replies::new(BufReader::new(output), wanted),
            stderr,
        };
        match sent {
            // It is dead already; why, it is asked when its answer is read.
            Err(FrameError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(worker),
            sent => sent
                .context("cannot give the worker its task")
                .map(|()| worker),
        }
    }

    /// The next batch of pictures; `None` when all have come.
    pub fn next(&mut self) -> Result<Option<Pictures>> {
        self.replies.next().map_err(|error| match error {
            ReplyError::Ended => self.obituary(),
            error => error.into(),
        })
    }

    /// Waits for the worker to end by itself.
    pub fn finish(mut self) {
        self.input = None;
        // All it was asked for has come; how it ends changes nothing.
        let _ = self.child.wait();
    }

    /// How it died, and its last words.
    fn obituary(&mut self) -> anyhow::Error {
        self.input = None;
        let how = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let ended = ReplyError::Ended;
        match last_words(&mut self.stderr) {
            Ok(words) if !words.is_empty() => anyhow!("{ended} ({how}), it said: {words}"),
            _ => anyhow!("{ended} ({how})"),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last_words(file: &mut File) -> io::Result<String> {
    let back =
        i64::try_from(file.metadata()?.len()).map_or(TAIL_BYTES, |length| length.min(TAIL_BYTES));
    file.seek(SeekFrom::End(-back))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | "))
}
