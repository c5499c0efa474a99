//! How learning rates change over a run.

use sparring_contract::config::{self, Config};

/// A schedule of learning rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    kind: config::Schedule,
    steps: u64,
    floor: f64,
}

impl Schedule {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            kind: config.schedule,
            steps: config.schedule_steps,
            floor: config.schedule_floor,
        }
    }

    /// What learning rates are multiplied by in a step, from 0.
    pub(super) fn factor(&self, step: u64) -> f64 {
        let done = (step as f64 / self.steps as f64).min(1.0);
        let left = match self.kind {
            config::Schedule::Constant => return 1.0,
            config::Schedule::Linear => 1.0 - done,
            // Loshchilov and Hutter 2017, equation 5, without restarts.
            config::Schedule::Cosine => f64::midpoint(1.0, (std::f64::consts::PI * done).cos()),
        };
        self.floor + (1.0 - self.floor) * left
    }
}
