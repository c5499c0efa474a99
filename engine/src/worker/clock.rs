//! The clock that the trainer reads.

use std::time::{Duration, Instant};

use crate::trainer::Clock;

/// The machine's monotonic clock, counted from when this value was made.
pub(super) struct MonotonicClock(Instant);

impl MonotonicClock {
    /// A clock that starts at zero now.
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
