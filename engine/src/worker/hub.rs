//! Where what happens in a run is written down and from where it is told.
//!
//! The trainer tells the hub; the hub appends to the log on disk, which never leaves anything out, and passes it on.
//! Nobody who listens is waited for.

use std::io;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sparring_contract::protocol::{Event, Record};
use sparring_contract::run::{EventLog, Run};

/// Lines that may wait for a slow reader of stdout; further ones are left out there.
pub(super) const WAITING_LINES: usize = 4096;

/// What is passed on to stdout and stderr.
#[derive(Debug)]
pub(super) enum Told {
    /// An event, and its line in the log.
    Event(Record, String),
    /// So many events were left out, because the reader was too slow.
    LeftOut(u64),
}

/// The teller of a run.
#[derive(Debug)]
pub(super) struct Hub {
    board: Mutex<Board>,
}

#[derive(Debug)]
struct Board {
    log: EventLog,
    log_failed: bool,
    speaker: Option<SyncSender<Told>>,
    left_out: u64,
}

impl Hub {
    /// A hub that appends to the run's log and passes on to `speaker`.
    pub(super) fn of(run: &Run, speaker: SyncSender<Told>) -> io::Result<Self> {
        let log = EventLog::open(&run.events_file())?;
        let board = Board {
            log,
            log_failed: false,
            speaker: Some(speaker),
            left_out: 0,
        };
        Ok(Self {
            board: Mutex::new(board),
        })
    }

    /// Tells that something happened, now.
    pub(super) fn emit(&self, event: Event) {
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        self.board().emit(Record {
            event,
            time: (time * 1000.0).round() / 1000.0,
        });
    }

    /// Passes on nothing more, so that whoever prints can end.
    pub(super) fn close(&self) {
        self.board().speaker = None;
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // A panic between two statements here leaves at worst an event untold.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn emit(&mut self, record: Record) {
        let line = match self.log.append(&record) {
            Ok(line) => line,
            Err(error) => {
                // Said once: a full disk would otherwise fill the screen as well.
                if !std::mem::replace(&mut self.log_failed, true) {
                    eprintln!(
                        "warning: cannot write events.jsonl, training goes on without it: {error}"
                    );
                }
                serde_json::to_string(&record).unwrap_or_default()
            }
        };
        self.pass_on(Told::Event(record, line));
    }

    fn pass_on(&mut self, told: Told) {
        let Some(speaker) = &self.speaker else { return };
        if self.left_out > 0 && speaker.try_send(Told::LeftOut(self.left_out)).is_ok() {
            self.left_out = 0;
        }
        if let Err(TrySendError::Full(_)) = speaker.try_send(told) {
            self.left_out += 1;
        }
    }
}
