//! A worker program on a pipe, with one task.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use sparring_contract::protocol::{
    FrameError, LatentRequest, Task, TaskReply, read_frame, write_frame,
};
use thiserror::Error;

/// How much of the end of a worker's stderr is looked at, and how many lines of it are told.
const TAIL_BYTES: i64 = 4096;
const TAIL_LINES: usize = 3;

/// Why there is no answer, or no more of it.
#[derive(Debug, Error)]
pub enum ReplyError {
    /// The worker's output ended before its answer did.
    #[error("the worker ended without an answer")]
    Ended,
    /// The worker could not do it, and said why.
    #[error("{0}")]
    Failed(String),
    /// What came is not an answer to the question.
    #[error("the worker's answer makes no sense: {0}")]
    Nonsense(String),
}

/// Reads the next reply. That the worker failed is an error in its words.
pub(crate) fn read_reply(from: &mut impl Read) -> Result<TaskReply, ReplyError> {
    match read_frame(from) {
        Ok(Some(TaskReply::Failed { message })) => Err(ReplyError::Failed(message)),
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => Err(ReplyError::Ended),
        Err(FrameError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(ReplyError::Ended)
        }
        Err(error) => Err(ReplyError::Nonsense(error.to_string())),
    }
}

/// A worker that was given a task. It ends with this value at the latest.
pub(crate) struct TaskWorker {
    child: Child,
    /// Kept open: by its end the worker learns that nobody waits any more.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// What it says beside its answer. libtorch has warnings for everybody, so they are told only if it dies.
    stderr: File,
}

impl TaskWorker {
    /// Starts a worker and gives it a task.
    pub(crate) fn start(mut command: Command, task: &Task) -> Result<Self> {
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
            output: BufReader::new(output),
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

    /// Asks a resident worker something.
    pub(crate) fn ask(&mut self, request: &LatentRequest) -> Result<()> {
        let input = self.input.as_mut().context("the worker has no stdin")?;
        match write_frame(input, request) {
            // It is dead already; why, it is asked when its answer is read.
            Err(FrameError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            sent => sent.context("cannot ask the worker"),
        }
    }

    /// Reads from its answer. Of a worker that ended without one, how it died and its last words are told.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut BufReader<ChildStdout>) -> Result<T, ReplyError>,
    ) -> Result<T> {
        read(&mut self.output).map_err(|error| match error {
            ReplyError::Ended => self.obituary(),
            error => error.into(),
        })
    }

    /// Waits for the worker to end by itself.
    pub(crate) fn finish(mut self) {
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

impl Drop for TaskWorker {
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
