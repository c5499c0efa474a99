//! What a run without a dashboard prints: events as JSON on stdout, or a progress bar or plain lines on stderr. Plain
//! lines also go to the run's worker.log.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sparring_contract::config::TaskKind;
use sparring_contract::launch::Voice;
use sparring_contract::output::{say_json, tell};
use sparring_contract::protocol::{Ended, Event, MetricSpec, Purpose, Started, Stats};
use sparring_contract::run::Run;
use sparring_contract::text::printable;

use super::hub::Told;

/// Time between two plain lines of metrics at first. The older the run, the more time: a night's lines fit into a
/// screen or two, and worker.log stays short.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The part of a worker's time so far that passes between two plain lines of metrics.
const LINE_EVERY_PART: u32 = 360;

/// Time between two plain lines of health checks with the same verdict.
const HEALTH_EVERY: Duration = Duration::from_mins(1);

/// Prints what the hub passes on, until the hub closes.
pub(super) struct Speaker {
    voice: Voice,
    log: Option<File>,
    bar: Option<ProgressBar>,
    started: Option<Box<Started>>,
    begun: Instant,
    last_line: Option<Instant>,
    /// When the latest health check was printed, and its verdict.
    last_health: Option<(Instant, &'static str)>,
    /// When a checkpoint, and when a grid, was printed that is saved every so often.
    last_saved: [Option<Instant>; 2],
}

impl Speaker {
    pub(super) fn of(run: &Run, voice: Voice) -> Self {
        // With Voice::Log, stderr is that file already.
        let log = (voice != Voice::Log)
            .then(|| run.append_to_worker_log().ok())
            .flatten();
        Self {
            voice,
            log,
            bar: None,
            started: None,
            begun: Instant::now(),
            last_line: None,
            last_health: None,
            last_saved: [None; 2],
        }
    }

    pub(super) fn speak(mut self, told: &Receiver<Told>) {
        for told in told {
            match told {
                Told::Event(record, line) => {
                    if self.voice == Voice::Json {
                        // A reader that is gone does not harm the run: its log is on disk.
                        let _ = say_json(&line);
                    }
                    self.say(record.event);
                }
                Told::Remark(line) => self.line(&line),
                Told::LeftOut(count) => self.line(&format!(
                    "{count} events left out here; events.jsonl has them"
                )),
            }
        }
    }

    fn say(&mut self, event: Event) {
        match &event {
            Event::Stats(stats) => return self.metrics(stats),
            Event::Health(health) => {
                let word = health.verdict.word();
                let is_known =
                    |(at, last): (Instant, &str)| last == word && at.elapsed() < HEALTH_EVERY;
                if self.last_health.is_some_and(is_known) {
                    return;
                }
                self.last_health = Some((Instant::now(), word));
            }
            Event::Checkpoint(saved) if !saved.best && !self.is_due(0) => return,
            Event::Samples(saved) if saved.purpose == Purpose::Fixed && !self.is_due(1) => return,
            Event::Ended(_) => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        if let Event::Started(started) = &event {
            self.bar = self.progress_bar(started);
            self.started = Some(started.clone());
        }
        if let Some(line) = event.describe(&self.metric_specs()) {
            self.line(&line);
        }
        if let Event::Ended(ended) = event {
            self.farewell(&ended);
        }
    }

    /// Whether it is time for a line about a checkpoint (0) or a grid (1). A run on a few pictures has an epoch every few
    /// steps.
    fn is_due(&mut self, which: usize) -> bool {
        let every = line_every(self.begun.elapsed());
        let is_due = self.last_saved[which].is_none_or(|last| last.elapsed() >= every);
        if is_due {
            self.last_saved[which] = Some(Instant::now());
        }
        is_due
    }

    /// The specs of the metrics that the run reports.
    fn metric_specs(&self) -> Vec<MetricSpec> {
        self.started
            .as_ref()
            .map(|started| started.metric_specs().into_owned())
            .unwrap_or_default()
    }

    fn metrics(&mut self, stats: &Stats) {
        if let Some(bar) = &self.bar {
            bar.set_position(stats.step);
            bar.set_message(printable(&stats.describe(&self.metric_specs())));
        } else if self
            .last_line
            .is_none_or(|last| last.elapsed() >= line_every(self.begun.elapsed()))
        {
            self.last_line = Some(Instant::now());
            let line = Event::Stats(stats.clone()).describe(&self.metric_specs());
            self.line(&line.unwrap_or_default());
        }
    }

    /// Prints where everything is and what can be done with it.
    fn farewell(&mut self, ended: &Ended) {
        let Some(started) = self.started.take() else {
            return;
        };
        self.line(&format!("everything is in {}", started.directory.display()));
        if ended.checkpoint.is_some() {
            let run = &started.run;
            self.line(&match started.task {
                TaskKind::Generate => format!("see its pictures: sparring sample {run}"),
                task => format!("use it: sparring {} {run} PICTURE", task.name()),
            });
            self.line(&format!(
                "train it longer: sparring train --resume {}{}",
                started.run,
                raised_limit(&started, ended.stats.step)
            ));
        }
    }

    /// Prints a plain line, above the bar if there is one, and writes it to worker.log.
    fn line(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            let _ = writeln!(log, "{}", printable(text));
        }
        match (self.voice, &self.bar) {
            (Voice::Json, _) => {}
            (_, Some(bar)) => bar.println(printable(text)),
            (_, None) => tell(text),
        }
    }

    fn progress_bar(&self, started: &Started) -> Option<ProgressBar> {
        if self.voice != Voice::Progress || !io::stderr().is_terminal() {
            return None;
        }
        let style = ProgressStyle::with_template(
            "{wide_bar} step {human_pos}/{human_len}  ETA {eta}\n{msg}",
        )
        .ok()?;
        let bar = ProgressBar::with_draw_target(
            Some(started.last_step),
            ProgressDrawTarget::stderr_with_hz(5),
        );
        bar.set_style(style);
        bar.set_position(started.step);
        bar.reset_eta();
        Some(bar)
    }
}

/// Time between two plain lines of metrics of a worker that has worked for so long.
fn line_every(age: Duration) -> Duration {
    LINE_EVERY.max(age / LINE_EVERY_PART)
}

/// The flag that lets a run go on that ended at a step: for the limit that it reached, if it reached one.
fn raised_limit(started: &Started, step: u64) -> &'static str {
    let by_epochs = started.epochs.saturating_mul(started.steps_per_epoch);
    match step {
        step if step < started.last_step => "",
        _ if started.last_step < by_epochs => " --steps N",
        _ => " --epochs N",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_come_less_often_as_a_run_ages() {
        let hours = |hours| line_every(Duration::from_hours(hours)).as_secs();
        assert_eq!([0, 1, 2, 24].map(hours), [10, 10, 20, 240]);
    }
}
