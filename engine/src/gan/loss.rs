//! The adversarial losses of both networks.

use sparring_contract::config::{Config, Loss};
use tch::{Kind, Tensor};

use crate::native::mean_softplus;

/// The losses of both networks; in nats where they are log-likelihoods.
#[derive(Clone, Copy, Debug)]
pub struct AdversarialLoss {
    loss: Loss,
    label_smoothing: f64,
}

/// The discriminator's logits, `[n, 1]` each.
#[derive(Debug)]
pub struct Logits {
    /// On real images.
    pub real: Tensor,
    /// On fakes.
    pub fake: Tensor,
}

impl AdversarialLoss {
    /// The losses of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            loss: config.loss,
            label_smoothing: config.label_smoothing,
        }
    }

    /// The loss that the discriminator minimises: a scalar, the mean over the batch.
    pub fn discriminator(&self, logits: &Logits) -> Tensor {
        let Logits { real, fake } = logits;
        match self.loss {
            // −log σ(real) − log(1 − σ(fake)): binary cross-entropy with the targets 1 for real and 0 for fake
            // (Goodfellow et al. 2014, equation 1).
            Loss::Bce => self.real_cross_entropy(real) + mean_softplus(fake, 1.0),
            // max(0, 1 − real) + max(0, 1 + fake) (Lim and Ye 2017; Miyato et al. 2018, equation 16).
            Loss::Hinge => {
                let hinge = |margin: Tensor| margin.relu().mean(Kind::Float);
                hinge(1.0 - real) + hinge(1.0 + fake)
            }
            // ½(real − 1)² + ½fake² (Mao et al. 2017, equation 2 with a = 0 and b = 1).
            Loss::LeastSquares => ((real - 1.0).square() + fake.square()).mean(Kind::Float) * 0.5,
            // fake − real (Arjovsky, Chintala and Bottou 2017, algorithm 1).
            Loss::Wasserstein => fake.mean(Kind::Float) - real.mean(Kind::Float),
            // −log σ(real − fake) (Huang et al. 2024, equation 2; Jolicoeur-Martineau 2019).
            Loss::Relativistic => mean_softplus(&(real - fake), -1.0),
        }
    }

    /// The loss that the generator minimises: a scalar, the mean over the batch. The logits on real images count only
    /// if [`AdversarialLoss::generator_needs_real`].
    pub fn generator(&self, logits: &Logits) -> Tensor {
        let Logits { real, fake } = logits;
        match self.loss {
            // −log σ(fake), the form that does not saturate while the discriminator wins (Goodfellow et al. 2014,
            // section 3).
            Loss::Bce => mean_softplus(fake, -1.0),
            Loss::Hinge | Loss::Wasserstein => -fake.mean(Kind::Float),
            // ½(fake − 1)², with c = 1.
            Loss::LeastSquares => (fake - 1.0).square().mean(Kind::Float) * 0.5,
            // −log σ(fake − real): the discriminator's with the roles exchanged.
            Loss::Relativistic => mean_softplus(&(fake - real), -1.0),
        }
    }

    /// Whether the generator's loss depends on the logits on real images.
    pub fn generator_needs_real(&self) -> bool {
        self.loss == Loss::Relativistic
    }

    /// The logit above which an image counts as real; `None` if only differences of logits have a meaning.
    pub fn decision_threshold(&self) -> Option<f64> {
        match self.loss {
            Loss::Bce | Loss::Hinge => Some(0.0),
            // Halfway between the targets for fake and real.
            Loss::LeastSquares => Some(0.5),
            Loss::Wasserstein | Loss::Relativistic => None,
        }
    }

    /// D(x) and D(G(z)), means over the batch, 0 to 1: scalars without a gradient. Both are ½ if the discriminator
    /// cannot tell real from fake.
    pub fn probabilities(&self, logits: &Logits) -> [Tensor; 2] {
        let [real, fake] = [logits.real.detach(), logits.fake.detach()];
        let means = |probabilities: [Tensor; 2]| probabilities.map(|p| p.mean(Kind::Float));
        match self.loss {
            Loss::Bce | Loss::Hinge => means([real.sigmoid(), fake.sigmoid()]),
            Loss::LeastSquares => means([real.clamp(0.0, 1.0), fake.clamp(0.0, 1.0)]),
            // The probability that the real image is the real one of a pair, and that the fake is.
            Loss::Wasserstein | Loss::Relativistic => {
                let of_real = (real - fake).sigmoid().mean(Kind::Float);
                let of_fake = 1.0 - &of_real;
                [of_real, of_fake]
            }
        }
    }

    /// Whether the losses compare the two images of a pair, and so do the probabilities.
    pub fn compares_pairs(&self) -> bool {
        matches!(self.loss, Loss::Wasserstein | Loss::Relativistic)
    }

    /// Whether both losses are log-likelihoods, in nats.
    pub fn is_in_nats(&self) -> bool {
        matches!(self.loss, Loss::Bce | Loss::Relativistic)
    }

    /// The losses of discriminator and generator at the equilibrium, where fakes are distributed like real images and
    /// the discriminator is optimal; `None` if the equilibrium does not determine the loss. Penalties come on top.
    pub fn equilibrium(&self) -> [Option<f64>; 2] {
        use std::f64::consts::LN_2;
        match self.loss {
            // Goodfellow et al. 2014, theorem 1, without its factor of ½. With label smoothing s the optimal p is
            // (1 − s)/2, and D's loss −(1 − s) ln p − (1 + s) ln(1 − p).
            Loss::Bce => {
                let (s, p) = (self.label_smoothing, self.equilibrium_probability());
                let d_loss = -(1.0 - s) * p.ln() - (1.0 + s) * (1.0 - p).ln();
                [Some(d_loss), Some(-p.ln())]
            }
            // Any constant logit from −1 to 1 is optimal.
            Loss::Hinge => [Some(2.0), None],
            // The optimal discriminator is ½ everywhere.
            Loss::LeastSquares => [Some(0.25), Some(0.125)],
            // Only differences of logits are determined.
            Loss::Wasserstein => [Some(0.0), None],
            Loss::Relativistic => [Some(LN_2), Some(LN_2)],
        }
    }

    /// D(x) and D(G(z)) at the equilibrium.
    pub fn equilibrium_probability(&self) -> f64 {
        match self.loss {
            Loss::Bce => (1.0 - self.label_smoothing) / 2.0,
            _ => 0.5,
        }
    }

    /// −log σ(real), or with one-sided label smoothing s: −(1 − s) log σ(real) − s log(1 − σ(real)) (Salimans et al.
    /// 2016, section 3.4).
    fn real_cross_entropy(&self, real: &Tensor) -> Tensor {
        let s = self.label_smoothing;
        if s == 0.0 {
            return mean_softplus(real, -1.0);
        }
        mean_softplus(real, -1.0) * (1.0 - s) + mean_softplus(real, 1.0) * s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_equilibrium_the_optimal_discriminator_gives_these_losses() {
        // With label smoothing 0.2 the optimal probability is 0.4, of which the logit is ln(0.4/0.6).
        for (loss, label_smoothing, guess) in [
            (Loss::Bce, 0.0, 0.0),
            (Loss::Bce, 0.2, (0.4_f64 / 0.6).ln()),
            (Loss::Hinge, 0.0, 0.0),
            (Loss::LeastSquares, 0.0, 0.5),
            (Loss::Wasserstein, 0.0, 0.0),
            (Loss::Relativistic, 0.0, 0.0),
        ] {
            let game = AdversarialLoss {
                loss,
                label_smoothing,
            };
            let guessed = || Tensor::full([4, 1], guess, (Kind::Float, tch::Device::Cpu));
            let logits = Logits {
                real: guessed(),
                fake: guessed(),
            };
            let losses = [game.discriminator(&logits), game.generator(&logits)];
            for (found, expected) in losses.iter().zip(game.equilibrium()) {
                let found = found.double_value(&[]);
                let expected = expected.unwrap_or(found);
                assert!((found - expected).abs() < 1e-6, "{loss:?}: {found}");
            }
            for probability in game.probabilities(&logits) {
                let off = probability.double_value(&[]) - game.equilibrium_probability();
                assert!(off.abs() < 1e-6, "{loss:?}: {off}");
            }
        }
    }
}
