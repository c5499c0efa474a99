//! Running a program that may hang.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::protocol::{Event, Record};

/// A program that takes longer hangs: what it does takes a second.
const DEADLINE: Duration = Duration::from_secs(90);

/// How a program ended, and what it printed.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was killed because it took too long.
    pub hung: bool,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The events on stdout. What is no event is left out.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.out
            .lines()
            .filter_map(|line| serde_json::from_str::<Record>(line).ok())
            .map(|record| record.event)
    }

    /// How it ended and what it said, for a report.
    pub fn summary(&self) -> String {
        let last: Vec<_> = self.out.lines().rev().take(3).collect();
        format!(
            "exit {:?}, signal {:?}; stderr: {:?}; last of stdout: {last:?}",
            self.code, self.signal, self.err
        )
    }
}

/// Runs a program to its end.
pub fn run_to_the_end(mut command: Command) -> Ran {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    end_of(child)
}

/// Waits for the end of a program, and kills it if that takes too long.
pub fn end_of(child: Child) -> Ran {
    let pid = Pid::from_child(&child);
    let (done, ended) = channel();
    let waiting = thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        let _ = done.send(());
        output
    });
    let hung = ended.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout);
    if hung {
        let _ = kill_process(pid, Signal::KILL);
    }
    ran(waiting.join().unwrap(), hung)
}

fn ran(output: Output, hung: bool) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        code: output.status.code(),
        signal: output.status.signal(),
        hung,
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
