//! Records what happens in a run and tells it to every face.
//!
//! The trainer tells the hub; the hub appends to the log on disk, which says so if it lacks anything, and keeps what a
//! face needs: the latest of everything, and the last events by number. Each face has a cursor and takes what is newer;
//! one that lags further behind than the hub remembers gets a new snapshot. The hub never waits for a listener.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sparring_contract::protocol::{
    Event, Machine, Phase, Pictures, Purpose, Record, Snapshot, ToFace,
};
use sparring_contract::run::{EventLog, Limit, Limits, Run, Timeline};
use tokio::sync::watch;

/// Lines that may wait for a slow reader of stdout. More than that are left out of stdout.
pub(super) const WAITING_LINES: usize = 4096;

/// A face that lags further behind than this many events gets a new snapshot.
const REMEMBERED: usize = 1024;

/// What a snapshot tells of a run. A report takes some 250 bytes and a point of the quality curve some 90, in a header
/// of 1 MiB.
const TOLD: Limits = Limits {
    reports: Limit {
        recent: 200,
        older: 1000,
    },
    quality: Limit {
        recent: 100,
        older: 500,
    },
    files: Limit {
        recent: 16,
        older: 16,
    },
    notable: 200,
};

/// What goes to stdout, stderr and worker.log.
#[derive(Debug)]
pub(super) enum Told {
    /// An event, and its line in the log.
    Event(Record, String),
    /// A line for worker.log that is no event.
    Remark(String),
    /// This many events were left out because the reader was too slow.
    LeftOut(u64),
}

/// Records the events of a run and tells them to faces.
#[derive(Debug)]
pub(super) struct Hub {
    board: Mutex<Board>,
    /// Changes whenever there is something new. False: nothing more will come.
    news: watch::Sender<bool>,
    watchers: AtomicUsize,
}

/// How far a face has been told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    begun: bool,
    sequence: u64,
    pictures: [u64; 3],
    machine: u64,
}

/// A value of which only the newest counts, and how often it was replaced.
#[derive(Debug)]
struct Latest<T> {
    value: Option<T>,
    version: u64,
}

/// Events that the log lacks, because it could not be written.
#[derive(Debug)]
struct Gap {
    events: u64,
    /// The step at which it began.
    from: u64,
    error: io::Error,
}

#[derive(Debug)]
struct Board {
    log: EventLog,
    /// What the log lacks, while it cannot be written.
    gap: Option<Gap>,
    speaker: Option<SyncSender<Told>>,
    left_out: u64,
    remembered: VecDeque<(u64, Record)>,
    timeline: Timeline,
    /// The number of the latest event.
    sequence: u64,
    /// The configuration in force, as TOML.
    config: String,
    /// Of fixed noise, of fresh noise, and of an explorer.
    pictures: [Latest<Pictures>; 3],
    machine: Latest<Machine>,
}

impl Hub {
    /// A hub that appends to the run's log and passes events on to `speaker`. Ignores what the log already holds after
    /// `step`: the run goes on from there.
    pub(super) fn of(run: &Run, step: u64, speaker: SyncSender<Told>) -> io::Result<Self> {
        let log = EventLog::open(&run.events_file())?;
        let mut timeline = Timeline::read_up_to(&run.events_file(), step, TOLD);
        // These describe the previous worker.
        timeline.started = None;
        timeline.ended = None;
        timeline.phase = Phase::default();
        let cut = log.cut();
        let board = Board {
            log,
            gap: None,
            speaker: Some(speaker),
            left_out: 0,
            remembered: VecDeque::new(),
            timeline,
            sequence: 0,
            // A face may come before the trainer publishes it; if it cannot be read, the run fails soon.
            config: run
                .config()
                .and_then(|config| Ok(config.to_toml()?))
                .unwrap_or_default(),
            pictures: [const { Latest::none() }; 3],
            machine: Latest::none(),
        };
        let hub = Self {
            board: Mutex::new(board),
            news: watch::Sender::new(true),
            watchers: AtomicUsize::new(0),
        };
        if cut > 0 {
            let message = format!(
                "events.jsonl ended in half a line ({cut} bytes), which was cut off: its worker was killed, or the \
                 machine went down"
            );
            hub.emit(Event::Warning { step, message });
        }
        Ok(hub)
    }

    /// Records that something happened, now.
    pub(super) fn emit(&self, event: Event) {
        self.change(|board| board.emit(now(event)));
    }

    /// Records that something happened, now, unless the log cannot be written.
    pub(super) fn record(&self, event: Event) -> io::Result<()> {
        let mut recorded = Ok(());
        self.change(|board| recorded = board.record(now(event)));
        recorded
    }

    /// Whether training has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.board().timeline.started.is_some()
    }

    /// Notes that the run's directory was moved, and tells of it.
    pub(super) fn move_to(&self, run: &Run) {
        self.change(|board| {
            board.log.move_to(&run.events_file());
            let step = board.timeline.step();
            let message = format!(
                "the run's directory was moved to {}; training goes on there",
                run.dir().display()
            );
            board.emit(now(Event::Warning { step, message }));
        });
    }

    /// Writes a line into worker.log that is no event of the run.
    pub(super) fn remark(&self, line: String) {
        self.board().pass_on(Told::Remark(line));
    }

    /// Shows pictures to the faces that watch.
    pub(super) fn show(&self, pictures: Pictures) {
        self.change(|board| {
            let place = match pictures.purpose {
                Purpose::Fresh => 1,
                Purpose::Explored => 2,
                Purpose::Fixed | Purpose::Real | Purpose::Unknown => 0,
            };
            board.pictures[place].replace(pictures);
        });
    }

    /// Publishes a reading of the machine.
    pub(super) fn measure(&self, machine: Machine) {
        self.change(|board| board.machine.replace(machine));
    }

    /// Publishes the configuration in force, as TOML.
    pub(super) fn configure(&self, config: String) {
        self.change(|board| board.config = config);
    }

    /// Ends the news, so that printers and listeners can finish.
    pub(super) fn close(&self) {
        self.board().speaker = None;
        self.news.send_replace(false);
    }

    /// Wakes a listener at every change.
    pub(super) fn news(&self) -> watch::Receiver<bool> {
        self.news.subscribe()
    }

    /// Everything newer than the cursor, and moves the cursor past it.
    pub(super) fn newer_than(&self, cursor: &mut Cursor) -> Vec<ToFace> {
        self.board().newer_than(cursor)
    }

    /// Counts a watching face that came or left. Returns how many there are now.
    pub(super) fn count_watcher(&self, came: bool) -> usize {
        if came {
            self.watchers.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.watchers.fetch_sub(1, Ordering::Relaxed) - 1
        }
    }

    /// Whether any face is watching.
    pub(super) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    fn change(&self, change: impl FnOnce(&mut Board)) {
        change(&mut self.board());
        self.news.send_modify(|_| {});
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // After a panic in here, at worst one event was not told.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    /// Records an event and tells of it. If it cannot be recorded, those who listen now are told all the same.
    fn emit(&mut self, record: Record) {
        if let Err((record, error)) = self.try_record(record) {
            let step = self.timeline.step();
            let is_new = self.gap.is_none();
            let gap = self.gap.get_or_insert(Gap {
                events: 0,
                from: step,
                error,
            });
            gap.events += 1;
            if is_new {
                let message = format!(
                    "cannot write events.jsonl: {}; training goes on, and the log will lack what happens until it can \
                     be written again",
                    gap.error
                );
                self.tell_unrecorded(now(Event::Warning { step, message }));
            }
            self.tell_unrecorded(record);
        }
    }

    /// Records an event and tells of it, or does neither.
    fn record(&mut self, record: Record) -> io::Result<()> {
        self.try_record(record).map_err(|(_, error)| error)
    }

    fn try_record(&mut self, record: Record) -> Result<(), (Record, io::Error)> {
        if let Err(error) = self.mark_gap() {
            return Err((record, error));
        }
        match self.log.append(&record) {
            Ok(line) => {
                self.tell(record, line);
                Ok(())
            }
            Err(error) => Err((record, error)),
        }
    }

    /// If the log lacks events, and can be written again, writes so into it.
    fn mark_gap(&mut self) -> io::Result<()> {
        let Some(gap) = &self.gap else { return Ok(()) };
        let step = self.timeline.step();
        let warning = now(Event::Warning {
            step,
            message: format!(
                "{} events from step {} to {step} are missing before this line: events.jsonl could not be written ({})",
                gap.events, gap.from, gap.error
            ),
        });
        let line = self.log.append(&warning)?;
        self.gap = None;
        self.tell(warning, line);
        Ok(())
    }

    fn tell_unrecorded(&mut self, record: Record) {
        let line = serde_json::to_string(&record).unwrap_or_default();
        self.tell(record, line);
    }

    fn tell(&mut self, record: Record, line: String) {
        self.pass_on(Told::Event(record.clone(), line));
        self.timeline.push(record.clone());
        self.sequence += 1;
        self.remembered.push_back((self.sequence, record));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
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
            .map_or(self.sequence + 1, |(sequence, _)| *sequence);
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
            sequence: self.sequence,
            pictures: self.pictures.each_ref().map(|latest| latest.version),
            machine: self.machine.version,
        };
        told
    }

    fn whole(&self) -> Snapshot {
        Snapshot {
            sequence: self.sequence,
            config: self.config.clone(),
            pictures: self
                .pictures
                .iter()
                // Whoever comes has not asked for an explorer's.
                .take(2)
                .filter_map(|latest| latest.value.clone())
                .collect(),
            machine: self.machine.value.clone(),
            ..self.timeline.snapshot()
        }
    }
}

/// An event that happens now.
fn now(event: Event) -> Record {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    Record {
        event,
        time: (time * 1000.0).round() / 1000.0,
    }
}

impl<T: Clone> Latest<T> {
    const fn none() -> Self {
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
