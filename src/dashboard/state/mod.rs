//! Everything a dashboard knows. Only [`super::update`] changes it. It has no clock: time comes in
//! messages.

mod charts;
mod classes;
mod course;
mod dialog;
mod explorer;
mod gallery;
mod journal;
mod look;
mod requests;
mod standing;
mod verdict;

use std::path::Path;

use sparring_contract::config::Config;
use sparring_contract::protocol::{
    Event, Health as HealthCheck, Machine, Phase, Record, Snapshot, Started, Stats,
};
use sparring_contract::run::{Limits, Timeline};

pub use charts::{Chart, Charts, Curve, Hue, Series};
pub use classes::{Class, Presence, classes};
pub use course::{Slice, recent, seconds, slices};
pub use dialog::{Dialog, InForce, Network, Rates, extend_note};
pub use explorer::{Axis, Explorer};
pub use gallery::{Gallery, Shown};
pub use journal::{Journal, Line, Weight};
pub(super) use journal::{plain, refused};
pub use look::{Look, Panel};
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
    /// What happened in the run.
    pub timeline: Timeline,
    /// What can be drawn of it.
    pub charts: Charts,
    /// The pictures.
    pub gallery: Gallery,
    /// What happened.
    pub journal: Journal,
    /// The newest reading of the machine.
    pub machine: Option<Machine>,
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
    /// The last event that is reflected here.
    pub(super) sequence: u64,
    /// How many minutes this worker is to train; 0: no limit.
    minutes: f64,
}

impl State {
    /// A dashboard that has heard nothing from its worker yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            name: settings.run,
            keymap: settings.keymap,
            read_only: settings.read_only,
            utc_offset: settings.utc_offset,
            now: settings.now,
            connection: Connection::Live,
            timeline: Timeline::default(),
            charts: Charts::default(),
            gallery: Gallery::default(),
            journal: Journal::default(),
            machine: None,
            rates: InForce::default(),
            traffic: None,
            look: Look::default(),
            dialog: None,
            requests: Requests::default(),
            stopping: false,
            sequence: 0,
            minutes: 0.0,
        }
    }

    /// A dashboard of a run without a worker, from its log and its configuration as TOML.
    pub fn from_log(settings: Settings, records: Vec<Record>, config: &str) -> Self {
        let mut state = Self::new(settings);
        state.connection = Connection::Read;
        state.take_config(config);
        for record in records {
            state.absorb(record);
        }
        state
    }

    /// Starts again from a snapshot. What the user looks at stays.
    pub(super) fn take_snapshot(&mut self, snapshot: Snapshot) {
        self.connection = Connection::Live;
        if self.dialog == Some(Dialog::Died) {
            self.dialog = None;
        }
        self.journal = Journal::default();
        for record in &snapshot.log {
            self.remark(record);
        }
        self.take_config(&snapshot.config);
        self.timeline = Timeline::of_snapshot(&snapshot, Limits::default());
        self.take_specs();
        for batch in snapshot.pictures {
            self.gallery.receive(batch, None);
        }
        self.machine = snapshot.machine.or(self.machine.take());
        self.sequence = snapshot.sequence;
    }

    /// Takes a configuration as TOML. A worker that has none yet says nothing, which would be read as all defaults.
    fn take_config(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let Ok(config) = Config::parse(text, Path::new("config.toml")) else {
            return;
        };
        self.minutes = config.minutes;
        self.rates = InForce {
            generator: Some(config.generator.learning_rate),
            discriminator: Some(config.discriminator.learning_rate),
        };
    }

    /// Takes in an event.
    pub(super) fn absorb(&mut self, record: Record) {
        let went_on = match &record.event {
            Event::Phase { phase, step } if *phase == Phase::Training => {
                (self.timeline.phase == Phase::Paused).then_some(*step)
            }
            _ => None,
        };
        self.remark(&record);
        if let Some(step) = went_on {
            let text = format!("went on at step {}", grouped(step));
            self.journal.write(record.time, Weight::Plain, text);
        }
        let starts = matches!(record.event, Event::Started(_));
        if starts || matches!(record.event, Event::Ended(_)) {
            self.stopping = false;
        }
        self.timeline.push(record);
        if starts {
            self.take_specs();
        }
    }

    /// Writes an event into the journal, and notes changed learning rates.
    fn remark(&mut self, record: &Record) {
        self.journal.record(record.time, &record.event);
        match &record.event {
            Event::Set { key, value, .. } => self.rates.set(key, value.as_f64()),
            Event::Rollback(rollback) => {
                self.rates = InForce {
                    generator: Some(rollback.generator_learning_rate),
                    discriminator: Some(rollback.discriminator_learning_rate),
                };
            }
            _ => {}
        }
    }

    fn take_specs(&mut self) {
        if let Some(started) = &self.timeline.started {
            self.charts = Charts::new(&started.metric_specs());
        }
    }

    /// The facts of the run, once they are known.
    pub fn started(&self) -> Option<&Started> {
        self.timeline.started.as_deref()
    }

    /// The latest figures, once there are some.
    pub fn stats(&self) -> Option<&Stats> {
        self.timeline.latest()
    }

    /// The latest value of a series; NaN while it is not known.
    pub fn latest(&self, series: Series) -> f64 {
        self.stats()
            .map_or(f64::NAN, |stats| self.charts.value(series, stats))
    }

    /// The chart that is looked at.
    pub fn chart(&self) -> &Chart {
        self.charts.at(self.look.chart)
    }

    /// How the pictures of a health check are spread over the classes of the data.
    pub fn classes(&self, health: &HealthCheck) -> Vec<Class> {
        let names = self
            .started()
            .map_or(&[][..], |started| &started.class_names);
        let mut classes = classes(health, names);
        if self.timeline.quality.iter().nth(1).is_none() {
            // The first check sees networks that have hardly learnt anything: nothing is gone yet.
            for class in &mut classes {
                class.presence = Presence::There;
            }
        }
        classes
    }

    /// The verdict of the latest health check in a word, if it is one that a user should look at.
    pub fn alarm(&self) -> Option<&'static str> {
        let verdict = &self.timeline.health.as_ref()?.value.verdict;
        verdict.is_alarm().then(|| verdict.word())
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.timeline.step()
    }

    /// Steps that stopping without saving would lose: all of them while no checkpoint is known.
    pub fn unsaved(&self) -> u64 {
        let kept = self.timeline.saved().map_or(0, |saved| saved.step);
        self.step().saturating_sub(kept)
    }

    /// The part of the training that is done, 0 to 1, by whichever limit comes first.
    pub fn progress(&self) -> Option<f64> {
        let started = self.started()?;
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
        let started = self.started()?;
        let steps = started.last_step.saturating_sub(self.step());
        let images_a_step = started.images as f64 / started.steps_per_epoch.max(1) as f64;
        let by_steps = self
            .recent(|stats| stats.images_per_second)
            .filter(|speed| *speed > 0.0)
            .map(|speed| steps as f64 * images_a_step / speed);
        [by_steps, self.minutes_left()]
            .into_iter()
            .flatten()
            .reduce(f64::min)
    }

    /// Seconds until the time limit, if there is one. It counts from the start of the worker.
    fn minutes_left(&self) -> Option<f64> {
        if self.minutes <= 0.0 {
            return None;
        }
        let begun = self.started()?.step;
        let reports = &self.timeline.reports;
        let before = reports
            .iter()
            .rev()
            .find(|report| report.step <= begun)
            .map_or(0.0, |report| report.training_seconds);
        let now = reports.last()?.training_seconds;
        Some((self.minutes * 60.0 - (now - before)).max(0.0))
    }

    /// How the duel stands over the latest reports, in a run that reports D(x) and D(G(z)).
    pub fn verdict(&self) -> Option<Verdict> {
        let of = |key| self.recent(|stats| stats.metrics.get(key));
        verdict(of("d_real")?, of("d_fake")?)
    }

    fn recent(&self, figure: impl Fn(&Stats) -> f64) -> Option<f64> {
        recent(&self.timeline.reports, figure, RECENT)
    }
}
