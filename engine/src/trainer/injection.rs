//! A step that is made to go wrong: how a fault can be seen, by tests and by anyone who is curious.

use crate::gan::Session;
use crate::native::no_grad;

/// A step that is made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    kind: Kind,
    /// Steps done before it.
    step: u64,
    /// In every attempt, or only in the first.
    always: bool,
}

/// How the step goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A weight becomes NaN.
    Nan,
    /// It panics.
    Panic,
    /// What is done after it panics, the first time from there on.
    PanicIn(Aside),
}

/// What is done between two steps, and can panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// A health check.
    Check,
    /// Pictures for faces and files.
    Pictures,
    /// A user's command.
    Command,
    /// Writing a checkpoint.
    Checkpoint,
}

impl Injection {
    /// Reads `nan@STEP`, `panic@STEP` or `panic-check@STEP`, the latter also with `pictures`, `command` or `checkpoint`; a
    /// `+` at the end means every attempt.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, step) = text.split_once('@')?;
        let kind = match kind {
            "nan" => Kind::Nan,
            "panic" => Kind::Panic,
            "panic-check" => Kind::PanicIn(Aside::Check),
            "panic-pictures" => Kind::PanicIn(Aside::Pictures),
            "panic-command" => Kind::PanicIn(Aside::Command),
            "panic-checkpoint" => Kind::PanicIn(Aside::Checkpoint),
            _ => return None,
        };
        Some(Self {
            kind,
            step: step.strip_suffix('+').unwrap_or(step).parse().ok()?,
            always: step.ends_with('+'),
        })
    }

    /// Spoils the session if its next step is the one. `attempt` counts from 0.
    ///
    /// # Panics
    /// If that is what was asked for.
    pub(super) fn apply(self, session: &Session, attempt: u64) {
        if self.step != session.steps() || !(self.always || attempt == 0) {
            return;
        }
        match self.kind {
            // The tensors of a session's own snapshot share its memory.
            Kind::Nan => {
                if let Some((_, weight)) = session.state_dict().tensors.first() {
                    let _ = no_grad(|| weight.view([-1]).narrow(0, 0, 1).fill_(f64::NAN));
                }
            }
            Kind::Panic => panic!("a panic was injected at step {}", self.step),
            Kind::PanicIn(_) => {}
        }
    }

    /// Whether this is to go wrong now, with these steps done.
    pub(super) fn is_in(self, aside: Aside, steps: u64) -> bool {
        self.kind == Kind::PanicIn(aside) && steps >= self.step
    }

    /// Whether it goes wrong only once.
    pub(super) fn is_once(self) -> bool {
        !self.always
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_injected_at_a_step_of_the_first_attempt_or_of_all() {
        let of = |kind, step, always| Some(Injection { kind, step, always });
        assert_eq!(Injection::parse("nan@70"), of(Kind::Nan, 70, false));
        assert_eq!(Injection::parse("nan@0+"), of(Kind::Nan, 0, true));
        assert_eq!(Injection::parse("panic@3"), of(Kind::Panic, 3, false));
        let check = of(Kind::PanicIn(Aside::Check), 5, false);
        assert_eq!(Injection::parse("panic-check@5"), check);
        for wrong in ["", "nan", "nan@", "nan@x", "nan@-1", "inf@3", "nan@3++"] {
            assert_eq!(Injection::parse(wrong), None, "{wrong}");
        }
    }
}
