//! What guards a run against numbers that are not finite: the last good state is kept in memory, and the run goes back
//! to it.

use std::ops::ControlFlow;

use anyhow::Context as _;
use sparring_contract::protocol::{Event, Reason, Rollback};
use tch::{Device, no_grad};

use super::trainer::{End, Trainer, none};
use crate::gan::{Fault, Session};
use crate::nn::StateDict;

/// Steps between two good states that are kept. A copy costs no more than a step's optimisers do, so this is far below
/// a hundredth of the time; and counted in steps, a run that went back can be made again.
const KEEP_EVERY: u64 = 250;

/// How often a run may go back, before it ends.
const ATTEMPTS: u64 = 3;

/// Good steps after which what went wrong before is forgotten.
const FORGIVEN_AFTER: u64 = 1000;

/// By this both learning rates are multiplied in each attempt.
const CUT: f64 = 0.5;

/// The name of the variable that makes steps go wrong (docs/ARCHITECTURE.md).
const INJECTION: &str = "SPARRING_FAULT";

/// The last good state, and how often the run has gone back.
pub(super) struct Guard {
    good: StateDict,
    /// The attempt that is under way; it enters all that is drawn.
    attempt: u64,
    /// How often the run went back lately, and to which step the last time.
    failures: u64,
    back_to: u64,
    injection: Option<Injection>,
}

/// A step that is made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Injection {
    kind: Injected,
    /// Steps done before it.
    step: u64,
    /// In every attempt, or in the first alone.
    always: bool,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Injected {
    /// By a weight that is not finite.
    Nan,
    /// As an error of libtorch's does, by a panic.
    Panic,
}

impl Injection {
    /// Reads `nan@STEP` or `panic@STEP`; with a plus behind it for every attempt.
    fn parse(text: &str) -> Option<Self> {
        let (kind, step) = text.split_once('@')?;
        let kind = match kind {
            "nan" => Injected::Nan,
            "panic" => Injected::Panic,
            _ => return None,
        };
        Some(Self {
            kind,
            step: step.strip_suffix('+').unwrap_or(step).parse().ok()?,
            always: step.ends_with('+'),
        })
    }
}

impl Guard {
    /// Of a session in the state that it is in, which is good.
    pub(super) fn of(session: &Session, attempt: u64) -> anyhow::Result<Self> {
        let injection = std::env::var(INJECTION)
            .ok()
            .map(|text| {
                Injection::parse(&text).with_context(|| {
                    format!(
                        "{INJECTION}={text}: expected nan@STEP or panic@STEP, with + behind it for every attempt"
                    )
                })
            })
            .transpose()?;
        Ok(Self {
            good: session.state_dict().deep_copy(),
            attempt,
            failures: 0,
            back_to: session.steps(),
            injection,
        })
    }

    /// The attempt that is under way; 0 is the first.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Keeps the state of a session as good.
    pub(super) fn keep(&mut self, session: &Session) {
        self.good = session.state_dict().deep_copy();
    }

    /// Makes the step go wrong that is to.
    pub(super) fn inject(&self, session: &Session) {
        let is_due = |injection: &Injection| {
            injection.step == session.steps() && (injection.always || self.attempt == 0)
        };
        match self
            .injection
            .filter(is_due)
            .map(|injection| injection.kind)
        {
            // The tensors of a session's own state dict share its memory.
            Some(Injected::Nan) => {
                if let Some((_, weight)) = session.state_dict().tensors.first() {
                    let _ = no_grad(|| weight.view([-1]).narrow(0, 0, 1).fill_(f64::NAN));
                }
            }
            Some(Injected::Panic) => panic!("{INJECTION} has it so"),
            None => {}
        }
    }
}

impl Trainer<'_> {
    /// Looks whether the step went well, keeps the state now and then, and else goes back. Returns whether it went
    /// well.
    pub(super) fn watch_over(&mut self) -> ControlFlow<End, bool> {
        let steps = self.session.steps();
        let keep = steps.is_multiple_of(KEEP_EVERY);
        // Another device has to be waited for, so it is asked when it is waited for anyway, and before a state is kept
        // or saved.
        let ask = self.session.device() == Device::Cpu
            || keep
            || self.is_report_due()
            || self.is_look_due()
            || self.is_checkpoint_due();
        if !ask {
            return ControlFlow::Continue(true);
        }
        if let Some(fault) = self.session.fault() {
            return self.go_back(&fault).map_continue(|()| false);
        }
        if steps > self.guard.back_to + FORGIVEN_AFTER {
            self.guard.failures = 0;
        }
        if keep {
            self.guard.keep(&self.session);
        }
        ControlFlow::Continue(true)
    }

    /// Goes back to the last good state, to try with other draws and lower learning rates; or ends the run there.
    fn go_back(&mut self, fault: &Fault) -> ControlFlow<End> {
        self.clock.stop();
        let step = self.session.steps();
        if let Err(error) = self.session.load_state_dict(&self.guard.good) {
            return ControlFlow::Break(End {
                save: false,
                message: Some(format!("step {step}: {fault}; {error}")),
                ..End::saved(Reason::Diverged)
            });
        }
        let back_to = self.session.steps();
        self.guard.attempt += 1;
        self.guard.failures += 1;
        self.guard.back_to = back_to;
        self.session.set_attempt(self.guard.attempt);
        // A checkpoint of this step knows of the attempts before alone.
        self.saved = None;
        self.reported = (none(&self.session), self.clock.own());
        if self.guard.failures > ATTEMPTS {
            return ControlFlow::Break(End {
                message: Some(format!(
                    "step {step}: {fault}; {ATTEMPTS} attempts from step {back_to} on did not help: go on with lower \
                     learning rates"
                )),
                ..End::saved(Reason::Diverged)
            });
        }
        self.cut_learning_rates();
        self.hub.emit(Event::Rollback(Rollback {
            step,
            back_to,
            attempt: self.guard.attempt,
            cause: fault.to_string(),
            generator_learning_rate: self.config.generator.learning_rate,
            discriminator_learning_rate: self.config.discriminator.learning_rate,
        }));
        ControlFlow::Continue(())
    }

    fn cut_learning_rates(&mut self) {
        let mut config = self.config.clone();
        for network in [&mut config.generator, &mut config.discriminator] {
            network.learning_rate *= CUT;
        }
        if let Err(error) = self.run.write_config(&config) {
            self.warn(format!("{error}; training goes on with the rates cut"));
        }
        self.put_in_force(config);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_ordered_for_a_step_of_the_first_attempt_or_of_all() {
        let of = |kind, step, always| Some(Injection { kind, step, always });
        assert_eq!(Injection::parse("nan@70"), of(Injected::Nan, 70, false));
        assert_eq!(Injection::parse("nan@0+"), of(Injected::Nan, 0, true));
        assert_eq!(Injection::parse("panic@3"), of(Injected::Panic, 3, false));
        for wrong in ["", "nan", "nan@", "nan@x", "nan@-1", "inf@3", "nan@3++"] {
            assert_eq!(Injection::parse(wrong), None, "{wrong}");
        }
    }
}
