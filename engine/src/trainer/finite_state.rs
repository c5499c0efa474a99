//! States that may be written to disk or kept to go back to: all their numbers are finite.

use std::fmt;

use tch::{Kind, Tensor};

use crate::gan::{Fault, Session};
use crate::native::no_grad;
use crate::nn::StateDict;

/// The state of a session whose last steps had no fault and whose tensors are finite.
///
/// Checkpoints are written, and the state to go back to is kept, from this type only, so neither can hold a number that
/// is not finite. It shares the session's memory and borrows the session, so no step can be made while it exists.
pub(super) struct FiniteState<'s> {
    session: &'s Session,
    state_dict: StateDict,
}

/// What is not finite, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotFinite(String);

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Fault> for NotFinite {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}

impl<'s> FiniteState<'s> {
    /// Checks the steps since the last check, and the state that they led to. Waits for the device.
    pub(super) fn of(session: &'s mut Session) -> Result<Self, NotFinite> {
        if let Some(fault) = session.fault() {
            return Err(fault.into());
        }
        let session = &*session;
        let state_dict = session.state_dict();
        match first_not_finite(&state_dict.tensors) {
            Some(name) => Err(NotFinite(format!("{name} is not finite"))),
            None => Ok(Self {
                session,
                state_dict,
            }),
        }
    }

    /// The session in this state.
    pub(super) fn session(&self) -> &'s Session {
        self.session
    }

    /// The state; its tensors share the session's memory.
    pub(super) fn state_dict(&self) -> &StateDict {
        &self.state_dict
    }
}

/// The name of the first tensor with a number that is not finite.
fn first_not_finite(tensors: &[(String, Tensor)]) -> Option<&str> {
    no_grad(|| {
        // NaN and infinities survive min and max. Stacked, the extremes of all tensors need one wait for the device.
        let extremes: Vec<_> = tensors
            .iter()
            .flat_map(|(_, tensor)| {
                let (low, high) = tensor.aminmax(None, false);
                [low, high].map(|extreme| extreme.to_kind(Kind::Float))
            })
            .collect();
        if tensors.is_empty() {
            return None;
        }
        let finite: Vec<bool> = Vec::try_from(Tensor::stack(&extremes, 0).isfinite()).ok()?;
        tensors
            .iter()
            .zip(finite.chunks(2))
            .find(|(_, finite)| finite.contains(&false))
            .map(|((name, _), _)| name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::session;
    use super::*;

    /// Sets one number of the tensor with this name.
    fn spoil(session: &Session, name: &str, number: f64) {
        let state_dict = session.state_dict();
        let (_, tensor) = state_dict
            .tensors
            .iter()
            .find(|(own, _)| own == name)
            .unwrap();
        let _ = no_grad(|| tensor.view([-1]).narrow(0, 0, 1).fill_(number));
    }

    #[test]
    fn a_step_that_went_wrong_leaves_no_finite_state() {
        let mut session = session(&[]);
        session.step();
        assert!(FiniteState::of(&mut session).is_ok());
        spoil(&session, "generator.model.0.weight", f64::NAN);
        session.step();
        let cause = FiniteState::of(&mut session).err().unwrap();
        assert_eq!(
            cause.to_string(),
            "a loss is not finite: generator.model.0.weight is not finite"
        );
    }

    #[test]
    fn a_tensor_that_no_loss_depends_on_counts_too() {
        let name = "optimizer.generator.model.0.weight.exp_avg_sq";
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut session = session(&[]);
            session.step();
            spoil(&session, name, number);
            assert!(session.fault().is_none(), "no step was wrong");
            let cause = FiniteState::of(&mut session).err().unwrap();
            assert_eq!(cause.to_string(), format!("{name} is not finite"));
        }
    }
}
