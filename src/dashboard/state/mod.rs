//! Everything that a dashboard knows. It changes in [`super::update`] alone, and knows no clock: time comes in
//! messages.

mod dialog;
mod gallery;
mod health;
mod history;
mod journal;
mod look;
mod requests;
mod standing;
mod verdict;

use std::path::Path;

use sparring_contract::config::Config;
use sparring_contract::protocol::{
    Ended, Event, Machine, Phase, Pictures, Record, Snapshot, Started, Stats,
};

pub use dialog::{Dialog, InForce, Network, Rates, extend_note};
pub use gallery::{Gallery, Shown};
pub use health::{FAIR, Looks, Presence, Seen, presences};
pub use history::{History, Series, Slice};
pub use journal::{Journal, Weight};
pub(super) use journal::{plain, refused};
pub use look::{Chart, Look, Panel};
pub use requests::Requests;
pub(super) use requests::name as command_name;
pub use standing::{Connection, Standing, Tone};
pub use verdict::{Health, Verdict, verdict};

use super::keymap::Keymap;
use super::words::grouped;

/// The verdict and the time that is left are judged from so many of the latest reports: some seconds, long enough
/// not to flicker.
const RECENT: usize = 12;

/// What a face is started with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Name of the run.
    pub run: String,
    /// Which key does what.
    pub keymap: Keymap,
    /// Whether this face only watches.
    pub read_only: bool,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// The time now, seconds since 1970.
    pub now: f64,
}

/// The newest checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saved {
    /// Steps done.
    pub step: u64,
    /// When it was saved, seconds since 1970; none if that happened before what this face knows.
    pub time: Option<f64>,
}

/// Everything that a dashboard knows.
#[derive(Clone, Debug)]
pub struct State {
    /// Name of the run.
    pub name: String,
    /// Which key does what.
    pub keymap: Keymap,
    /// Whether this face only watches.
    pub read_only: bool,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset: i32,
    /// The time of the last tick, seconds since 1970.
    pub now: f64,

    /// Whether a worker is there to talk to.
    pub connection: Connection,
    /// What it is doing.
    pub phase: Phase,
    /// The facts of the run, once they are known.
    pub started: Option<Box<Started>>,
    /// The latest figures.
    pub stats: Option<Stats>,
    /// Their course.
    pub history: History,
    /// How the run does.
    pub health: Looks,
    /// The pictures.
    pub gallery: Gallery,
    /// What happened.
    pub journal: Journal,
    /// The newest reading of the machine.
    pub machine: Option<Machine>,
    /// The newest checkpoint.
    pub saved: Option<Saved>,
    /// The learning rates in force.
    pub rates: InForce,
    /// Bytes a second to this terminal.
    pub traffic: Option<f64>,

    /// What the user looks at, and how.
    pub look: Look,
    /// What lies over the panels.
    pub dialog: Option<Dialog>,

    pub(super) requests: Requests,
    pub(super) stopping: bool,
    pub(super) ended: Option<Box<Ended>>,
    pub(super) phase_step: u64,
    /// The last event that is reflected here.
    pub(super) sequence: u64,
    /// Minutes that the run is to train since it was started, 0 for no limit.
    minutes: f64,
}

impl State {
    /// A dashboard whose worker has said nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            name: settings.run,
            keymap: settings.keymap,
            read_only: settings.read_only,
            utc_offset: settings.utc_offset,
            now: settings.now,
            connection: Connection::Live,
            phase: Phase::Loading,
            started: None,
            stats: None,
            history: History::default(),
            health: Looks::default(),
            gallery: Gallery::default(),
            journal: Journal::default(),
            machine: None,
            saved: None,
            rates: InForce::default(),
            traffic: None,
            look: Look::default(),
            dialog: None,
            requests: Requests::default(),
            stopping: false,
            ended: None,
            phase_step: 0,
            sequence: 0,
            minutes: 0.0,
        }
    }

    /// A dashboard of a run without a worker: what its log tells, with its configuration as TOML and the newest of
    /// its pictures.
    pub fn from_log(
        settings: Settings,
        records: Vec<Record>,
        config: &str,
        pictures: Vec<Pictures>,
    ) -> Self {
        let mut state = Self::new(settings);
        state.connection = Connection::Read;
        state.take_config(config);
        for record in records {
            state.absorb(record);
        }
        for batch in pictures {
            state.gallery.receive(batch, None);
        }
        state
    }

    /// Begins anew from a snapshot; what the user looks at stays.
    pub(super) fn take_snapshot(&mut self, snapshot: Snapshot) {
        self.connection = Connection::Live;
        if self.dialog == Some(Dialog::Died) {
            self.dialog = None;
        }
        self.ended = None;
        self.journal = Journal::default();
        self.saved = None;
        self.phase = Phase::default();
        self.phase_step = 0;
        self.started = snapshot.started;
        for record in snapshot.log {
            self.absorb(record);
        }
        self.take_config(&snapshot.config);
        self.history = History::new(snapshot.history);
        self.health = Looks::new(snapshot.quality);
        if let Some(record) = snapshot.health {
            self.absorb(*record);
        }
        self.stats = self.history.last().copied().or(self.stats);
        if self.phase != snapshot.phase {
            self.phase_step = self.step();
        }
        self.phase = snapshot.phase;
        for batch in snapshot.pictures {
            self.gallery.receive(batch, None);
        }
        self.machine = snapshot.machine.or(self.machine.take());
        self.sequence = snapshot.sequence;
    }

    fn take_config(&mut self, text: &str) {
        let Ok(config) = Config::parse(text, Path::new("config.toml")) else {
            return;
        };
        self.minutes = config.minutes;
        self.rates = InForce {
            generator: Some(config.generator.learning_rate),
            discriminator: Some(config.discriminator.learning_rate),
        };
    }

    /// Takes in something that happened.
    pub(super) fn absorb(&mut self, record: Record) {
        let Record { event, time } = record;
        self.journal.record(time, &event);
        match event {
            Event::Started(started) => self.begin(started),
            Event::Phase { phase, step } => {
                if (self.phase, phase) == (Phase::Paused, Phase::Training) {
                    let text = format!("went on at step {}", grouped(step));
                    self.journal.write(time, Weight::Plain, text);
                }
                self.phase = phase;
                self.phase_step = step;
            }
            Event::Stats(stats) => self.report(stats),
            Event::Checkpoint(saved) if !saved.best => {
                self.saved = Some(Saved {
                    step: saved.step,
                    time: Some(time),
                });
            }
            Event::Set { key, value, .. } => self.rates.set(&key, value.as_f64()),
            Event::Ended(ended) => {
                self.phase = Phase::Ended;
                self.stopping = false;
                self.conclude(ended.stats);
                self.ended = Some(ended);
            }
            Event::Health(health) => self.health.push(*health, time),
            Event::Rollback(rollback) => {
                self.rewind(rollback.back_to);
                self.rates = InForce {
                    generator: Some(rollback.generator_learning_rate),
                    discriminator: Some(rollback.discriminator_learning_rate),
                };
            }
            Event::Checkpoint(_)
            | Event::Samples(_)
            | Event::Note { .. }
            | Event::Warning { .. }
            | Event::Alarm { .. }
            | Event::Unknown => {}
        }
    }

    fn begin(&mut self, started: Box<Started>) {
        self.rewind(started.step);
        self.ended = None;
        self.stopping = false;
        self.saved = (started.step > 0).then_some(Saved {
            step: started.step,
            time: None,
        });
        self.started = Some(started);
    }

    /// Forgets what lies after a step, from which the run goes on.
    fn rewind(&mut self, step: u64) {
        self.history.rewind(step);
        self.health.rewind(step);
        self.phase_step = step;
        self.stats = self.history.last().copied();
    }

    fn report(&mut self, stats: Stats) {
        self.history.push(stats);
        if self.stats.is_none_or(|known| known.step <= stats.step) {
            self.stats = Some(stats);
        }
    }

    /// The last figures of a run. One that made no step since the last report knows its counters alone.
    fn conclude(&mut self, last: Stats) {
        match &mut self.stats {
            Some(known) if !last.training_seconds.is_finite() => {
                known.step = known.step.max(last.step);
                known.epoch = known.epoch.max(last.epoch);
                known.images_seen = known.images_seen.max(last.images_seen);
            }
            _ => self.report(last),
        }
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        let begun = self.started.as_ref().map_or(0, |started| started.step);
        self.stats
            .map_or(begun, |stats| stats.step)
            .max(self.phase_step)
            .max(begun)
    }

    /// Steps that stopping without saving would lose: all of them while no checkpoint is known.
    pub fn unsaved(&self) -> u64 {
        let kept = self.saved.map_or(0, |saved| saved.step);
        self.step().saturating_sub(kept)
    }

    /// The part of the training that is done, 0 to 1, by whichever limit comes first.
    pub fn progress(&self) -> Option<f64> {
        let started = self.started.as_ref()?;
        if started.last_step == 0 {
            return None;
        }
        let by_steps = self.step() as f64 / started.last_step as f64;
        let by_time = self
            .minutes_left()
            .map_or(0.0, |left| 1.0 - left / (self.minutes * 60.0));
        Some(by_steps.max(by_time).clamp(0.0, 1.0))
    }

    /// Seconds of training that are left at the speed of the latest reports.
    pub fn seconds_left(&self) -> Option<f64> {
        let started = self.started.as_ref()?;
        let steps = started.last_step.saturating_sub(self.step());
        let images_a_step = started.images as f64 / started.steps_per_epoch.max(1) as f64;
        let by_steps = self
            .history
            .recent(Series::Throughput, RECENT)
            .filter(|speed| *speed > 0.0)
            .map(|speed| steps as f64 * images_a_step / speed);
        [by_steps, self.minutes_left()]
            .into_iter()
            .flatten()
            .reduce(f64::min)
    }

    /// Seconds until the limit of minutes, where there is one. It counts from the start of the worker.
    fn minutes_left(&self) -> Option<f64> {
        if self.minutes <= 0.0 {
            return None;
        }
        let begun = self.started.as_ref()?.step;
        let before = self
            .history
            .iter()
            .rev()
            .find(|report| report.step <= begun)
            .map_or(0.0, |report| report.training_seconds);
        let now = self.history.last()?.training_seconds;
        Some((self.minutes * 60.0 - (now - before)).max(0.0))
    }

    /// How the duel stands over the latest reports.
    pub fn verdict(&self) -> Option<Verdict> {
        verdict(
            self.history.recent(Series::DReal, RECENT)?,
            self.history.recent(Series::DFake, RECENT)?,
        )
    }
}
