//! Penalties on the gradient of the discriminator's logits with respect to the pictures.

use sparring_contract::config;
use tch::{Kind, Tensor};

/// The gradient penalties of a configuration.
#[derive(Clone, Debug)]
pub(super) struct GradientPenalty(config::Penalty);

impl GradientPenalty {
    pub(super) fn new(penalty: &config::Penalty) -> Self {
        Self(penalty.clone())
    }

    /// Whether the loss of a step includes a penalty.
    pub(super) fn is_due(&self, step: u64) -> bool {
        let config::Penalty {
            r1,
            r2,
            wgan_gp,
            lazy_interval,
        } = self.0;
        r1 + r2 + wgan_gp > 0.0 && step.is_multiple_of(lazy_interval)
    }

    /// The penalty of a step that includes one: a scalar. `logits` is the discriminator; the logit of a picture must
    /// not depend on other pictures of the batch.
    ///
    /// Applied every N steps, the penalty is scaled by N (Karras et al. 2020, section 4.1).
    pub(super) fn compute(
        &self,
        real: &Tensor,
        fake: &Tensor,
        logits: impl Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let config::Penalty {
            r1,
            r2,
            wgan_gp,
            lazy_interval,
        } = self.0;
        let mut sum = Tensor::zeros([] as [i64; 0], (Kind::Float, real.device()));
        // γ/2 ‖∇D‖² (Mescheder, Geiger and Nowozin 2018, equation 9).
        for (gamma, pictures) in [(r1, real), (r2, fake)] {
            if gamma > 0.0 {
                sum += squared_gradient_norms(pictures, &logits).mean(Kind::Float) * (gamma / 2.0);
            }
        }
        if wgan_gp > 0.0 {
            // λ (‖∇D‖ − 1)² at a random point between a real image and a fake (Gulrajani et al. 2017, algorithm 1).
            let position = Tensor::rand([real.size()[0], 1, 1, 1], (Kind::Float, real.device()));
            let between = real + position * (fake - real);
            // The square root has no derivative at zero.
            let norms = (squared_gradient_norms(&between, &logits) + 1e-12).sqrt();
            sum += (norms - 1.0).square().mean(Kind::Float) * wgan_gp;
        }
        sum * lazy_interval as f64
    }
}

/// ‖∇D‖² at each picture, `[n]`, differentiable.
fn squared_gradient_norms(pictures: &Tensor, logits: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let pictures = pictures.detach().set_requires_grad(true);
    let sum = logits(&pictures).sum(Kind::Float);
    let gradients = Tensor::run_backward(&[sum], &[&pictures], true, true);
    gradients[0]
        .square()
        .flatten(1, -1)
        .sum_dim_intlist(1, false, Kind::Float)
}
