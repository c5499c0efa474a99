//! Penalties on how steep the discriminator is.

use sparring_contract::config;
use tch::{Kind, Tensor};

/// The penalties of a configuration.
#[derive(Clone, Debug)]
pub(super) struct Penalty(config::Penalty);

impl Penalty {
    pub(super) fn new(penalty: &config::Penalty) -> Self {
        Self(penalty.clone())
    }

    /// Whether a step has a penalty at all.
    pub(super) fn is_due(&self, step: u64) -> bool {
        let config::Penalty {
            r1,
            r2,
            gradient,
            every,
        } = self.0;
        r1 + r2 + gradient > 0.0 && step.is_multiple_of(every)
    }

    /// The penalty of a step that has one: a scalar. `judge` gives the logits of pictures, each of which must depend
    /// on its own picture alone.
    ///
    /// It is as many times as strong as there are steps to one that has it (Karras et al. 2020, section 4.1).
    pub(super) fn of(
        &self,
        real: &Tensor,
        fake: &Tensor,
        judge: impl Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let config::Penalty {
            r1,
            r2,
            gradient,
            every,
        } = self.0;
        let mut sum = Tensor::zeros([] as [i64; 0], (Kind::Float, real.device()));
        // γ/2 ‖∇D‖² (Mescheder, Geiger and Nowozin 2018, equation 9).
        for (gamma, pictures) in [(r1, real), (r2, fake)] {
            if gamma > 0.0 {
                sum += squared_slopes(pictures, &judge).mean(Kind::Float) * (gamma / 2.0);
            }
        }
        if gradient > 0.0 {
            // λ (‖∇D‖ − 1)² somewhere between a real image and a fake (Gulrajani et al. 2017, algorithm 1).
            let place = Tensor::rand([real.size()[0], 1, 1, 1], (Kind::Float, real.device()));
            let between = real + place * (fake - real);
            // The root has no derivative at zero.
            let slopes = (squared_slopes(&between, &judge) + 1e-12).sqrt();
            sum += (slopes - 1.0).square().mean(Kind::Float) * gradient;
        }
        sum * every as f64
    }
}

/// ‖∇D‖² by each picture, `[n]`, differentiable.
fn squared_slopes(pictures: &Tensor, judge: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let pictures = pictures.detach().set_requires_grad(true);
    let logits = judge(&pictures).sum(Kind::Float);
    let slopes = Tensor::run_backward(&[logits], &[&pictures], true, true);
    slopes[0]
        .square()
        .flatten(1, -1)
        .sum_dim_intlist(1, false, Kind::Float)
}
