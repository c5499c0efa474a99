//! How learning rates change over a run.

use sparring_contract::config::{Config, Schedule};

/// A learning-rate schedule.
#[derive(Clone, Copy, Debug)]
pub struct LearningRateSchedule {
    kind: Schedule,
    steps: u64,
    /// The final learning rate as a fraction of the initial one.
    floor: f64,
}

impl LearningRateSchedule {
    /// The schedule of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            kind: config.schedule,
            steps: config.schedule_steps,
            floor: config.schedule_floor,
        }
    }

    /// The learning rate of a step (counted from 0), as a fraction of the initial one.
    pub fn factor(&self, step: u64) -> f64 {
        let progress = (step as f64 / self.steps as f64).min(1.0);
        let remaining = match self.kind {
            Schedule::Constant => return 1.0,
            Schedule::Linear => 1.0 - progress,
            // Loshchilov and Hutter 2017, equation 5, without restarts.
            Schedule::Cosine => f64::midpoint(1.0, (std::f64::consts::PI * progress).cos()),
        };
        self.floor + (1.0 - self.floor) * remaining
    }
}
