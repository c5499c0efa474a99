//! A step that is made to go wrong: how a fault can be seen, by tests and by anyone who is curious.

use tch::no_grad;

use crate::gan::Session;

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
}

impl Injection {
    /// Reads `nan@STEP` or `panic@STEP`; a `+` at the end means every attempt.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, step) = text.split_once('@')?;
        let kind = match kind {
            "nan" => Kind::Nan,
            "panic" => Kind::Panic,
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
        }
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
        for wrong in ["", "nan", "nan@", "nan@x", "nan@-1", "inf@3", "nan@3++"] {
            assert_eq!(Injection::parse(wrong), None, "{wrong}");
        }
    }
}
