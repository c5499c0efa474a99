//! A job that is stopped in the middle, with SIGSTOP, so that the world around it can change.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::protocol::{Event, Record};

use super::process::{Ran, end_of};

/// A job that stands still.
pub struct Held {
    child: Option<Child>,
    reading: Option<JoinHandle<String>>,
    events: Receiver<Event>,
}

impl Held {
    /// Starts a job and stops it after its first checkpoint. `None` if it was over before.
    pub fn start(mut command: Command) -> Option<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let (tell, events) = channel();
        let reading = thread::spawn(move || {
            let mut all = String::new();
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(record) = serde_json::from_str::<Record>(&line) {
                    let _ = tell.send(record.event);
                }
                all += &line;
                all.push('\n');
            }
            all
        });
        let mut held = Self {
            child: Some(child),
            reading: Some(reading),
            events,
        };
        held.until(|event| matches!(event, Event::Checkpoint(_)))?;
        held.signal(Signal::STOP);
        // Its last words may be on the way.
        let ended = held
            .events
            .try_iter()
            .any(|event| matches!(event, Event::Ended(_)));
        (!ended && held.is_there()).then_some(held)
    }

    /// Waits for an event. `None` if the job ended before it came.
    pub fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        self.events.iter().find(wanted)
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    fn is_there(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Lets it go on.
    pub fn goes_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ran {
        let mut ran = end_of(self.child.take().unwrap());
        ran.out = self.reading.take().unwrap().join().unwrap();
        ran
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a job anew until it is held in the middle: a quick one can be over before it is stopped.
pub fn held(start: impl Fn() -> Command, again: impl Fn()) -> Held {
    for _ in 0..20 {
        if let Some(held) = Held::start(start()) {
            return held;
        }
        again();
    }
    panic!("the job was always over before it could be stopped");
}
