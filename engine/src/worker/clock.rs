//! The time that training takes, without saving, sampling and pauses.

use std::time::{Duration, Instant};

/// A stopwatch.
#[derive(Debug)]
pub(super) struct Clock {
    before: Duration,
    own: Duration,
    since: Option<Instant>,
}

impl Clock {
    /// A stopped clock of a run that has trained for so many seconds in other processes.
    pub(super) fn after(seconds: f64) -> Self {
        let before = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self {
            before,
            own: Duration::ZERO,
            since: None,
        }
    }

    pub(super) fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn stop(&mut self) {
        if let Some(since) = self.since.take() {
            self.own += since.elapsed();
        }
    }

    /// Training time of this process.
    pub(super) fn own(&self) -> Duration {
        self.own + self.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// Training time of the run.
    pub(super) fn total(&self) -> Duration {
        self.before + self.own()
    }
}
