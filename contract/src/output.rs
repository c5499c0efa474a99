//! Lines on stdout and stderr: the only places where both programs write text, so that nothing in it can give a command
//! to a terminal.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::{panic, thread};

use crate::text::{printable, printable_json};

/// Writes a line to stdout. A reader that went away, as `| head` does, is no error.
pub fn say(line: &str) -> io::Result<()> {
    write(&printable(line))
}

/// Writes JSON as a line to stdout. A reader that went away is no error.
pub fn say_json(json: &str) -> io::Result<()> {
    write(&printable_json(json))
}

fn write(line: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to stderr. Where that is gone nobody reads it, and that is no reason to fail.
pub fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// Writes a question to stderr, where the answer is typed behind it.
pub fn ask(question: &str) {
    let _ = write!(io::stderr(), "{} ", printable(question));
}

/// From now on, what a panic says is as fit for a terminal as everything else: it may quote data.
pub fn tell_panics() {
    panic::set_hook(Box::new(|panic| {
        let name = thread::current().name().unwrap_or("unnamed").to_owned();
        let backtrace = Backtrace::capture();
        let mut words = format!("thread '{name}' {panic}");
        if backtrace.status() == BacktraceStatus::Captured {
            words = format!("{words}\n{backtrace}");
        }
        words.lines().for_each(tell);
    }));
}
