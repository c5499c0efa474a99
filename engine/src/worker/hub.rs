//! Where what happens in a run is written down and from where it is told.
//!
//! The trainer tells the hub; the hub appends to the log on disk, which never leaves anything out, and keeps what a
//! face needs: the latest of everything, and the last events by number. A face has a cursor and takes what is newer;
//! one that lags further behind than the hub remembers gets a new snapshot. Nobody who listens is waited for.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sparring_contract::protocol::{
    Event, Machine, Phase, Pictures, Purpose, Quality, Record, Snapshot, Stats, ToFace,
};
use sparring_contract::run::{EventLog, Run, read_records};
use tokio::sync::watch;

use super::history::History;

/// Lines that may wait for a slow reader of stdout; further ones are left out there.
pub(super) const WAITING_LINES: usize = 4096;

/// Events that a face may lag behind before it gets a new snapshot.
const REMEMBERED: usize = 1024;

/// Events, reports and health left out, that a snapshot tells.
const NOTABLE: usize = 200;

/// Reports that a snapshot tells at most, beside the latest: some 250 bytes each, in a frame of 1 MiB.
const REPORTS: usize = 1200;

/// Points of the quality curve that it tells at most: some 90 bytes each, and more than a screen has columns of dots.
const QUALITY: usize = 600;

/// What is passed on to stdout and stderr.
#[derive(Debug)]
pub(super) enum Told {
    /// An event, and its line in the log.
    Event(Record, String),
    /// A line for worker.log that is no event.
    Remark(String),
    /// So many events were left out, because the reader was too slow.
    LeftOut(u64),
}

/// The teller of a run.
#[derive(Debug)]
pub(super) struct Hub {
    board: Mutex<Board>,
    /// Changes whenever there is something new; false when nothing more will come.
    news: watch::Sender<bool>,
    watchers: AtomicUsize,
}

/// How far a face has been told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    begun: bool,
    sequence: u64,
    pictures: [u64; 2],
    machine: u64,
}

/// Something of which only the newest counts, and how often it was replaced.
#[derive(Debug)]
struct Latest<T> {
    value: Option<T>,
    version: u64,
}

#[derive(Debug)]
struct Board {
    log: EventLog,
    log_failed: bool,
    speaker: Option<SyncSender<Told>>,
    left_out: u64,
    remembered: VecDeque<(u64, Record)>,
    history: History<Stats>,
    quality: History<Quality>,
    /// Everything but histories, pictures and machine.
    snapshot: Snapshot,
    pictures: [Latest<Pictures>; 2],
    machine: Latest<Machine>,
}

impl Hub {
    /// A hub that appends to the run's log and passes on to `speaker`. Of what the log tells already, the part up to
    /// `step` is the run's past.
    pub(super) fn of(run: &Run, step: u64, speaker: SyncSender<Told>) -> io::Result<Self> {
        let mut board = Board {
            log: EventLog::open(&run.events_file())?,
            log_failed: false,
            speaker: Some(speaker),
            left_out: 0,
            remembered: VecDeque::new(),
            history: History::of_at_most(REPORTS),
            quality: History::of_at_most(QUALITY),
            snapshot: Snapshot::default(),
            pictures: [Latest::none(), Latest::none()],
            machine: Latest::none(),
        };
        for record in read_records(&run.events_file()) {
            match &record.event {
                Event::Stats(stats) if stats.step > step => {}
                Event::Health(health) if health.step > step => {}
                _ => board.absorb(&record),
            }
        }
        // What this worker is doing, nobody has told yet.
        board.snapshot.started = None;
        board.snapshot.phase = Phase::default();
        Ok(Self {
            board: Mutex::new(board),
            news: watch::Sender::new(true),
            watchers: AtomicUsize::new(0),
        })
    }

    /// Tells that something happened, now.
    pub(super) fn emit(&self, event: Event) {
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        self.change(|board| {
            board.emit(Record {
                event,
                time: (time * 1000.0).round() / 1000.0,
            });
        });
    }

    /// Writes a line into worker.log that is no event of the run.
    pub(super) fn remark(&self, line: String) {
        self.board().pass_on(Told::Remark(line));
    }

    /// Shows pictures to whoever looks.
    pub(super) fn show(&self, pictures: Pictures) {
        self.change(|board| {
            board.pictures[usize::from(pictures.purpose == Purpose::Fresh)].replace(pictures);
        });
    }

    /// Tells the machine's state.
    pub(super) fn measure(&self, machine: Machine) {
        self.change(|board| board.machine.replace(machine));
    }

    /// Tells the configuration in force, as TOML.
    pub(super) fn configure(&self, config: String) {
        self.change(|board| board.snapshot.config = config);
    }

    /// Tells nothing more, so that whoever prints or listens can end.
    pub(super) fn close(&self) {
        self.board().speaker = None;
        self.news.send_replace(false);
    }

    /// Awakes a listener at every change.
    pub(super) fn news(&self) -> watch::Receiver<bool> {
        self.news.subscribe()
    }

    /// Everything that is newer than the cursor, which moves on.
    pub(super) fn newer_than(&self, cursor: &mut Cursor) -> Vec<ToFace> {
        self.board().newer_than(cursor)
    }

    /// Counts a face that looks on, or that has gone. Returns how many there are now.
    pub(super) fn count_watcher(&self, came: bool) -> usize {
        if came {
            self.watchers.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.watchers.fetch_sub(1, Ordering::Relaxed) - 1
        }
    }

    /// Whether any face looks on.
    pub(super) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    fn change(&self, change: impl FnOnce(&mut Board)) {
        change(&mut self.board());
        self.news.send_modify(|_| {});
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
        self.pass_on(Told::Event(record.clone(), line));
        self.absorb(&record);
        self.snapshot.sequence += 1;
        self.remembered.push_back((self.snapshot.sequence, record));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
    }

    /// Keeps what a snapshot tells.
    fn absorb(&mut self, record: &Record) {
        match &record.event {
            Event::Started(started) => {
                self.rewind(started.step);
                self.snapshot.started = Some(started.clone());
            }
            Event::Rollback(rollback) => self.rewind(rollback.back_to),
            Event::Phase { phase, .. } => return self.snapshot.phase = *phase,
            Event::Stats(stats) => return self.history.add(*stats),
            Event::Health(health) => {
                self.quality.add(health.quality());
                self.snapshot.health = Some(Box::new(record.clone()));
                return;
            }
            Event::Ended(_) => self.snapshot.phase = Phase::Ended,
            _ => {}
        }
        self.note(record.clone());
    }

    /// Forgets what lies after a step, from which the run goes on.
    fn rewind(&mut self, step: u64) {
        self.history.rewind(step);
        self.quality.rewind(step);
        let is_after =
            |record: &Record| matches!(&record.event, Event::Health(health) if health.step > step);
        if self.snapshot.health.as_deref().is_some_and(is_after) {
            self.snapshot.health = None;
        }
    }

    fn note(&mut self, record: Record) {
        let log = &mut self.snapshot.log;
        log.push(record);
        if log.len() > NOTABLE {
            // The newest checkpoint stays, however much was noted since: a face tells from it what a stop would lose.
            let is_checkpoint = |record: &Record| matches!(record.event, Event::Checkpoint(_));
            let newest = log.iter().rposition(is_checkpoint);
            log.remove(usize::from(newest == Some(0)));
        }
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

    fn newer_than(&self, cursor: &mut Cursor) -> Vec<ToFace> {
        let oldest = self
            .remembered
            .front()
            .map_or(self.snapshot.sequence + 1, |(sequence, _)| *sequence);
        let mut told = Vec::new();
        if cursor.begun && cursor.sequence + 1 >= oldest {
            let events = self
                .remembered
                .iter()
                .filter(|(sequence, _)| *sequence > cursor.sequence);
            told.extend(events.map(|(sequence, record)| ToFace::Event {
                sequence: *sequence,
                record: record.clone(),
            }));
            for (latest, seen) in self.pictures.iter().zip(cursor.pictures) {
                told.extend(latest.newer_than(seen).map(ToFace::Pictures));
            }
            told.extend(self.machine.newer_than(cursor.machine).map(ToFace::Machine));
        } else {
            told.push(ToFace::Snapshot(Box::new(self.whole())));
        }
        *cursor = Cursor {
            begun: true,
            sequence: self.snapshot.sequence,
            pictures: [self.pictures[0].version, self.pictures[1].version],
            machine: self.machine.version,
        };
        told
    }

    fn whole(&self) -> Snapshot {
        Snapshot {
            history: self.history.thinned(),
            quality: self.quality.thinned(),
            pictures: self
                .pictures
                .iter()
                .filter_map(|latest| latest.value.clone())
                .collect(),
            machine: self.machine.value.clone(),
            ..self.snapshot.clone()
        }
    }
}

impl<T: Clone> Latest<T> {
    fn none() -> Self {
        Self {
            value: None,
            version: 0,
        }
    }

    fn replace(&mut self, value: T) {
        self.value = Some(value);
        self.version += 1;
    }

    fn newer_than(&self, version: u64) -> Option<T> {
        (self.version > version)
            .then(|| self.value.clone())
            .flatten()
    }
}
