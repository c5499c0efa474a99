//! The guard against numbers that are not finite: it keeps the last good state in memory and takes the run back to it.

use sparring_contract::config::Config;

use super::finite_state::FiniteState;
use crate::gan::Session;
use crate::nn::{StateDict, StateDictError};

/// How often a run may go back without [`FORGIVEN_AFTER`] good steps in between, before it ends.
pub(super) const MOST_ATTEMPTS: u64 = 3;

/// Good steps after which earlier faults are forgotten.
const FORGIVEN_AFTER: u64 = 1000;

/// Each attempt multiplies both learning rates by this.
const LEARNING_RATE_FACTOR: f64 = 0.5;

/// The last good state, and how often the run has gone back.
pub(super) struct Guard {
    good: StateDict,
    /// The attempt under way, counted from 0; it seeds all random draws of the steps.
    attempt: u64,
    /// How often the run went back lately.
    failures: u64,
    /// The step it went back to the last time.
    went_back_to: u64,
}

/// What to do after the run went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Try again.
    Retry,
    /// End the run: the attempts are used up.
    GiveUp,
}

impl Guard {
    /// A guard of a session that has just been built or read from a checkpoint.
    pub(super) fn new(session: &Session, attempt: u64) -> Self {
        Self {
            good: session.state_dict().deep_copy(),
            attempt,
            failures: 0,
            went_back_to: session.steps(),
        }
    }

    /// The attempt under way; the first is 0.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Keeps the state as the one to go back to, in the memory of the one before: there may be no more.
    pub(super) fn keep(&mut self, state: &FiniteState<'_>) {
        self.good.copy_from(state.state_dict());
    }

    /// Notes that all steps up to this one went well.
    pub(super) fn note_good(&mut self, steps: u64) {
        if steps > self.went_back_to.saturating_add(FORGIVEN_AFTER) {
            self.failures = 0;
        }
    }

    /// Restores the last good state.
    pub(super) fn restore(&self, session: &mut Session) -> Result<(), StateDictError> {
        session.load_state_dict(&self.good)
    }

    /// Restores the last good state, from which the steps draw other numbers than before. An error leaves the session
    /// as it is.
    pub(super) fn go_back(&mut self, session: &mut Session) -> Result<Recovery, StateDictError> {
        self.restore(session)?;
        self.attempt += 1;
        self.failures += 1;
        self.went_back_to = session.steps();
        session.set_attempt(self.attempt);
        Ok(if self.failures > MOST_ATTEMPTS {
            Recovery::GiveUp
        } else {
            Recovery::Retry
        })
    }
}

/// The configuration of the next attempt: with lower learning rates.
pub(super) fn with_lower_learning_rates(config: &Config) -> Config {
    let mut config = config.clone();
    for network in [&mut config.generator, &mut config.discriminator] {
        network.learning_rate *= LEARNING_RATE_FACTOR;
    }
    config
}

#[cfg(test)]
mod tests {
    use super::super::testing::session;
    use super::*;

    #[test]
    fn a_run_gives_up_after_three_attempts_unless_it_went_well_in_between() {
        let mut session = session(&[]);
        let mut guard = Guard::new(&session, 0);
        let mut go_back = |guard: &mut Guard| guard.go_back(&mut session).unwrap();
        for _ in 0..3 {
            assert_eq!(go_back(&mut guard), Recovery::Retry);
        }
        assert_eq!(go_back(&mut guard), Recovery::GiveUp);
        guard.note_good(1000);
        assert_eq!(go_back(&mut guard), Recovery::GiveUp);
        guard.note_good(1001);
        assert_eq!(go_back(&mut guard), Recovery::Retry);
        assert_eq!(guard.attempt(), 6);
    }

    #[test]
    fn going_back_restores_the_state_that_was_kept() {
        let mut session = session(&[]);
        session.step();
        let mut guard = Guard::new(&session, 0);
        session.step();
        guard.keep(&FiniteState::of(&mut session).ok().unwrap());
        let kept = session.state_dict().deep_copy();
        session.step();
        guard.go_back(&mut session).unwrap();
        assert_eq!(session.steps(), 2);
        for ((name, now), (_, then)) in session.state_dict().tensors.iter().zip(&kept.tensors) {
            assert_eq!(now, then, "{name}");
        }
    }
}
