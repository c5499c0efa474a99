//! Asks a terminal about itself, for programs that only write to it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::Environment;
use super::parser::{Parser, Sent};
use super::query::{Answers, volley};

/// How long a terminal may take to answer. Who gives no answer, or is far away, is judged by the environment.
pub const PATIENCE: Duration = Duration::from_millis(150);

impl Environment {
    /// Asks the terminal, if the output is one that can be asked, and takes in what it tells.
    #[must_use]
    pub fn asked(self) -> Self {
        if !self.can_be_asked() {
            return self;
        }
        // A terminal that cannot be asked is judged by the environment.
        let answers = ask(!self.is_multiplexed()).unwrap_or_default();
        Self { answers, ..self }
    }
}

/// Asks the terminal of this process, in whose foreground it must be.
fn ask(pictures: bool) -> io::Result<Answers> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    if tcgetpgrp(&terminal)? != getpgrp() {
        // Another program reads the keys, and would get the answers.
        return Ok(Answers::default());
    }
    let silenced = Silenced::take(&terminal)?;
    if is_readable(&terminal, Duration::ZERO)? {
        // Somebody has typed ahead, or pasted several commands: what is read here would be lost to the next one.
        return Ok(Answers::default());
    }
    rustix::io::write(&terminal, volley(pictures).as_bytes())?;
    let (answers, interrupted) = listen(&terminal)?;
    drop(silenced);
    if interrupted {
        kill_process(getpid(), Signal::INT)?;
    }
    Ok(answers)
}

/// Reads answers until all are there, or too much time has passed. Returns whether somebody pressed Ctrl-C meanwhile.
fn listen(terminal: &File) -> io::Result<(Answers, bool)> {
    let begun = Instant::now();
    let mut answers = Answers::default();
    let mut parser = Parser::default();
    let mut bytes = [0; 1024];
    while !answers.complete {
        if !is_readable(terminal, PATIENCE.saturating_sub(begun.elapsed()))? {
            break;
        }
        let count = match rustix::io::read(terminal, &mut bytes) {
            Ok(0) => break,
            Err(Errno::INTR) => continue,
            read => read?,
        };
        for sent in parser.feed(&bytes[..count]) {
            match sent {
                Sent::Reply(reply) => answers.take(&reply),
                Sent::Key(key) if key == Parser::INTERRUPT => return Ok((answers, true)),
                Sent::Key(_) | Sent::Paste(_) | Sent::Mouse(_) => {}
            }
        }
    }
    Ok((answers, false))
}

/// Waits so long until there is something to read; false if nothing comes.
fn is_readable(terminal: &File, patience: Duration) -> io::Result<bool> {
    let begun = Instant::now();
    let mut question = [PollFd::from_borrowed_fd(terminal.as_fd(), PollFlags::IN)];
    loop {
        let left = patience.saturating_sub(begun.elapsed());
        match poll(&mut question, Timespec::try_from(left).ok().as_ref()) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

/// A terminal that shows no answers and passes each on at once, until this is dropped.
struct Silenced<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silenced<'a> {
    fn take(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silenced<'_> {
    fn drop(&mut self) {
        // Who has no terminal any more has no modes to restore.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
