//! Time: the clock that the trainer reads, and a stopwatch for the time spent on steps.

use std::time::Duration;

/// Where the trainer reads the time. Tests pass one that they set.
pub(crate) trait Clock {
    /// The time since some fixed moment; it never goes back.
    fn now(&self) -> Duration;
}

/// Measures training time: the time spent on steps, without saving, sampling, health checks and pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    /// Training time of earlier processes of this run.
    earlier: Duration,
    measured: Duration,
    running_since: Option<Duration>,
}

impl Stopwatch {
    /// A stopped stopwatch for a run that earlier processes trained for this many seconds.
    pub(super) fn after(seconds: f64) -> Self {
        Self {
            earlier: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            measured: Duration::ZERO,
            running_since: None,
        }
    }

    /// Starts, unless it is running.
    pub(super) fn start(&mut self, now: Duration) {
        self.running_since.get_or_insert(now);
    }

    /// Stops, unless it is stopped.
    pub(super) fn stop(&mut self, now: Duration) {
        self.measured = self.elapsed(now);
        self.running_since = None;
    }

    /// Training time of this process.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        let running = self.running_since.map(|since| now.saturating_sub(since));
        self.measured.saturating_add(running.unwrap_or_default())
    }

    /// Training time of the run.
    pub(super) fn total(&self, now: Duration) -> Duration {
        self.earlier.saturating_add(self.elapsed(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_between_start_and_stop_counts() {
        let seconds = Duration::from_secs;
        let mut stopwatch = Stopwatch::after(100.0);
        stopwatch.start(seconds(5));
        stopwatch.start(seconds(7));
        assert_eq!(stopwatch.elapsed(seconds(8)), seconds(3));
        stopwatch.stop(seconds(9));
        stopwatch.stop(seconds(20));
        stopwatch.start(seconds(30));
        assert_eq!(stopwatch.elapsed(seconds(31)), seconds(5));
        assert_eq!(stopwatch.total(seconds(31)), seconds(105));
    }
}
