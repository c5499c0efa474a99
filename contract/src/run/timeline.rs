//! What happened in a run: the one reader of events, shared by worker, dashboard and commands.

use std::collections::VecDeque;
use std::path::Path;

use super::history::{History, Limit, Point};
use super::log::{read_records, read_tail};
use crate::protocol::{
    Checkpointed, Ended, Event, Health, Phase, Quality, Record, Sampled, Snapshot, Started, Stats,
};

/// How much a timeline keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reports.
    pub reports: Limit,
    /// Points of the quality curve.
    pub quality: Limit,
    /// Saved pictures, and checkpoints, each.
    pub files: Limit,
    /// Events that are neither reports, health checks nor phases.
    pub notable: usize,
}

impl Default for Limits {
    /// A few minutes of reports in full and some thousand older ones: more than a screen has columns.
    fn default() -> Self {
        let long = Limit {
            recent: 1024,
            older: 3072,
        };
        Self {
            reports: long,
            quality: long,
            files: Limit {
                recent: 256,
                older: 256,
            },
            notable: 500,
        }
    }
}

/// Something, and when it was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated<T> {
    /// What was told.
    pub value: T,
    /// Seconds since 1970, UTC.
    pub time: f64,
}

impl Point for Dated<Checkpointed> {
    fn step(&self) -> u64 {
        self.value.step
    }

    fn merge(_earlier: Self, later: Self) -> Self {
        later
    }
}

/// The newest checkpoint of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saved {
    /// Steps done.
    pub step: u64,
    /// When it was saved, seconds since 1970; `None` if that is not known.
    pub time: Option<f64>,
}

/// What happened in a run so far, without the steps that a rollback, or resuming from an earlier checkpoint, has undone.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The facts of the latest start.
    pub started: Option<Box<Started>>,
    /// What the worker is doing, as far as the log tells.
    pub phase: Phase,
    /// Reports, oldest first.
    pub reports: History<Stats>,
    /// The quality curve, oldest first.
    pub quality: History<Quality>,
    /// The latest health check.
    pub health: Option<Dated<Box<Health>>>,
    /// Saved pictures, oldest first.
    pub pictures: History<Sampled>,
    /// Checkpoints, oldest first, without those saved as the best.
    pub checkpoints: History<Dated<Checkpointed>>,
    /// The latest events that are neither reports, health checks nor phases, oldest first.
    pub notable: VecDeque<Record>,
    /// How the latest worker ended the run.
    pub ended: Option<Box<Ended>>,
    /// When something last happened, seconds since 1970.
    pub time: Option<f64>,
    /// The latest figures: those of the last report or of the end.
    latest: Option<Stats>,
    /// The step of the latest phase.
    phase_step: u64,
    notable_limit: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Timeline {
    /// The timeline of a run in which nothing has happened yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            started: None,
            phase: Phase::default(),
            reports: History::new(limits.reports),
            quality: History::new(limits.quality),
            health: None,
            pictures: History::new(limits.files),
            checkpoints: History::new(limits.files),
            notable: VecDeque::new(),
            ended: None,
            time: None,
            latest: None,
            phase_step: 0,
            notable_limit: limits.notable,
        }
    }

    /// Reads a whole log. Skips lines that are not records, such as an unfinished last one. A log that does not exist
    /// is empty.
    pub fn read(log: &Path, limits: Limits) -> Self {
        Self::of(read_records(log), limits)
    }

    /// Reads a log as far as a step: the run goes on from there.
    pub fn read_up_to(log: &Path, step: u64, limits: Limits) -> Self {
        let is_past = |record: &Record| match &record.event {
            Event::Stats(stats) => stats.step <= step,
            Event::Health(health) => health.step <= step,
            _ => true,
        };
        let past = read_records(log).into_iter().filter(is_past);
        let mut timeline = Self::of(past, limits);
        timeline.rewind(step);
        timeline
    }

    /// Reads the end of a log: a few hundred records, and the first one.
    pub fn read_end(log: &Path, limits: Limits) -> Self {
        Self::of(read_tail(log), limits)
    }

    /// The timeline of these records, oldest first.
    pub fn of(records: impl IntoIterator<Item = Record>, limits: Limits) -> Self {
        let mut timeline = Self::new(limits);
        for record in records {
            timeline.push(record);
        }
        timeline
    }

    /// The timeline in a worker's snapshot.
    pub fn of_snapshot(snapshot: &Snapshot, limits: Limits) -> Self {
        // The histories do not contain undone steps, but the log still tells of the rollbacks: it comes first.
        let mut timeline = Self::of(snapshot.log.iter().cloned(), limits);
        timeline.started.clone_from(&snapshot.started);
        for stats in &snapshot.history {
            timeline.report(stats.clone());
        }
        for point in &snapshot.quality {
            timeline.assess(*point);
        }
        if let Some(record) = &snapshot.health {
            timeline.push((**record).clone());
        }
        if timeline.phase != snapshot.phase {
            timeline.phase_step = timeline.step();
        }
        timeline.phase = snapshot.phase;
        if timeline.phase != Phase::Ended {
            // That was an earlier worker.
            timeline.ended = None;
        }
        timeline
    }

    /// A snapshot of this timeline. The caller fills in the rest of it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            phase: self.phase,
            started: self.started.clone(),
            history: self.reports.iter().cloned().collect(),
            log: self.notable.iter().cloned().collect(),
            health: self.health.as_ref().map(|seen| {
                Box::new(Record {
                    event: Event::Health(seen.value.clone()),
                    time: seen.time,
                })
            }),
            quality: self.quality.iter().copied().collect(),
            ..Snapshot::default()
        }
    }

    /// Adds an event.
    pub fn push(&mut self, record: Record) {
        let time = record.time;
        self.time = Some(time);
        match &record.event {
            Event::Stats(stats) => return self.report(stats.clone()),
            Event::Health(health) => {
                self.assess(health.quality());
                let value = health.clone();
                self.health = Some(Dated { value, time });
                return;
            }
            Event::Phase { phase, step } => return self.enter(*phase, *step),
            Event::Started(started) => {
                self.rewind(started.step);
                self.ended = None;
                self.started = Some(started.clone());
            }
            Event::Rollback(rollback) => self.rewind(rollback.back_to),
            Event::Samples(saved) => self.pictures.push(saved.clone()),
            Event::Checkpoint(saved) if !saved.best => {
                let value = saved.clone();
                self.checkpoints.push(Dated { value, time });
            }
            Event::Ended(ended) => {
                self.phase = Phase::Ended;
                self.conclude(&ended.stats);
                self.ended = Some(ended.clone());
            }
            Event::Checkpoint(_)
            | Event::Set { .. }
            | Event::Note { .. }
            | Event::Kept(_)
            | Event::Warning { .. }
            | Event::Alarm { .. } => {}
            Event::Unknown => return,
        }
        self.note(record);
    }

    /// Enters a phase at a step.
    pub fn enter(&mut self, phase: Phase, step: u64) {
        (self.phase, self.phase_step) = (phase, step);
    }

    /// Forgets everything after a step: the run goes on from there.
    pub fn rewind(&mut self, step: u64) {
        self.reports.rewind(step);
        self.quality.rewind(step);
        self.pictures.rewind(step);
        self.checkpoints.rewind(step);
        self.health.take_if(|seen| seen.value.step > step);
        self.latest = self.reports.last().cloned();
        self.phase_step = step;
    }

    /// Adds a report. Ignores one that is not newer than the last.
    fn report(&mut self, mut stats: Stats) {
        if let Some(last) = self.reports.last() {
            if stats.step <= last.step {
                return;
            }
            stats.metrics.share_keys(&last.metrics);
            // A chart places reports by time. One without a time goes where its predecessor is.
            if !stats.training_seconds.is_finite() {
                stats.training_seconds = last.training_seconds;
            }
        }
        if !stats.training_seconds.is_finite() {
            stats.training_seconds = 0.0;
        }
        self.latest = Some(stats.clone());
        self.reports.push(stats);
    }

    /// Adds a point of the quality curve. Ignores one that is not newer than the last. Distances in other features than
    /// before do not compare: the curve begins anew.
    fn assess(&mut self, mut point: Quality) {
        let last = self.quality.last();
        if last.is_some_and(|last| point.step <= last.step) {
            return;
        }
        if !point.training_seconds.is_finite() {
            point.training_seconds = last.map_or(0.0, |last| last.training_seconds);
        }
        let features = last.and_then(|last| last.features).zip(point.features);
        if features.is_some_and(|(before, now)| before != now) {
            self.quality.clear();
        }
        self.quality.push(point);
    }

    /// Takes over the final figures. If no step was made since the last report, only the counters are known.
    fn conclude(&mut self, last: &Stats) {
        match &mut self.latest {
            Some(known) if !last.training_seconds.is_finite() => {
                known.step = known.step.max(last.step);
                known.epoch = known.epoch.max(last.epoch);
                known.images_seen = known.images_seen.max(last.images_seen);
            }
            Some(_) => self.report(last.clone()),
            None => self.latest = Some(last.clone()),
        }
    }

    fn note(&mut self, record: Record) {
        self.notable.push_back(record);
        if self.notable.len() > self.notable_limit {
            // The newest checkpoint always stays: it tells what a stop would lose.
            let is_checkpoint = |record: &Record| matches!(record.event, Event::Checkpoint(_));
            let newest = self.notable.iter().rposition(is_checkpoint);
            self.notable.remove(usize::from(newest == Some(0)));
        }
    }

    /// The latest figures, once there are some.
    pub fn latest(&self) -> Option<&Stats> {
        self.latest.as_ref()
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        let begun = self.started.as_ref().map_or(0, |started| started.step);
        let reported = self.latest.as_ref().map_or(0, |stats| stats.step);
        begun.max(reported).max(self.phase_step)
    }

    /// The step of the latest phase.
    pub fn phase_step(&self) -> u64 {
        self.phase_step
    }

    /// The newest checkpoint: the one that was saved last, or the one that the latest worker resumed.
    pub fn saved(&self) -> Option<Saved> {
        let resumed = self.started.as_ref().map_or(0, |started| started.step);
        match self.checkpoints.last() {
            Some(newest) if newest.value.step >= resumed => Some(Saved {
                step: newest.value.step,
                time: Some(newest.time),
            }),
            _ => (resumed > 0).then_some(Saved {
                step: resumed,
                time: None,
            }),
        }
    }

    /// The checkpoint that the latest worker resumed.
    pub fn parent(&self) -> Option<&Path> {
        self.started.as_ref()?.from.as_deref()
    }
}

#[cfg(test)]
mod tests;
