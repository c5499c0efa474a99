//! What the two networks play for.

use sparring_contract::config::{Config, Loss};
use tch::{Kind, Tensor};

use crate::native::mean_softplus;

/// The losses of both networks, in nats where they are likelihoods.
#[derive(Clone, Copy, Debug)]
pub struct Objective {
    loss: Loss,
    label_smoothing: f64,
}

/// The discriminator's logits on real and on fake images, `[n, 1]` each.
#[derive(Debug)]
pub struct Judgement {
    /// On real images.
    pub real: Tensor,
    /// On fakes.
    pub fake: Tensor,
}

impl Objective {
    /// What a configuration has the networks play for.
    pub fn of(config: &Config) -> Self {
        Self {
            loss: config.loss,
            label_smoothing: config.label_smoothing,
        }
    }

    /// What the discriminator makes small: a scalar. Means over the batch.
    pub fn discriminator(&self, judged: &Judgement) -> Tensor {
        let Judgement { real, fake } = judged;
        match self.loss {
            // −log σ(real) − log(1 − σ(fake)): binary cross-entropy with «real» for real and «fake» for fakes
            // (Goodfellow et al. 2014, equation 1).
            Loss::Bce => self.taken_for_real(real) + mean_softplus(fake, 1.0),
            // max(0, 1 − real) + max(0, 1 + fake) (Lim and Ye 2017; Miyato et al. 2018, equation 16).
            Loss::Hinge => {
                let below = |margin: Tensor| margin.relu().mean(Kind::Float);
                below(1.0 - real) + below(1.0 + fake)
            }
            // ½(real − 1)² + ½fake² (Mao et al. 2017, equation 2 with a = 0 and b = 1).
            Loss::LeastSquares => ((real - 1.0).square() + fake.square()).mean(Kind::Float) * 0.5,
            // fake − real (Arjovsky, Chintala and Bottou 2017, algorithm 1).
            Loss::Wasserstein => fake.mean(Kind::Float) - real.mean(Kind::Float),
            // −log σ(real − fake) (Huang et al. 2024, equation 2; Jolicoeur-Martineau 2019).
            Loss::Relativistic => mean_softplus(&(real - fake), -1.0),
        }
    }

    /// What the generator makes small, from the logits on its fakes, and on real images where those count: a scalar.
    pub fn generator(&self, judged: &Judgement) -> Tensor {
        let Judgement { real, fake } = judged;
        match self.loss {
            // −log σ(fake), the form that does not saturate while the discriminator wins (Goodfellow et al. 2014,
            // section 3).
            Loss::Bce => mean_softplus(fake, -1.0),
            Loss::Hinge | Loss::Wasserstein => -fake.mean(Kind::Float),
            // ½(fake − 1)², with c = 1.
            Loss::LeastSquares => (fake - 1.0).square().mean(Kind::Float) * 0.5,
            // −log σ(fake − real): the discriminator's with the parts exchanged.
            Loss::Relativistic => mean_softplus(&(fake - real), -1.0),
        }
    }

    /// The logit above which an image is taken for real; `None` where only differences of logits mean something.
    pub(super) fn verge(&self) -> Option<f64> {
        match self.loss {
            Loss::Bce | Loss::Hinge => Some(0.0),
            // Halfway between what fakes and real images are to get.
            Loss::LeastSquares => Some(0.5),
            Loss::Wasserstein | Loss::Relativistic => None,
        }
    }

    /// D(x) and D(G(z)), means over the batch, 0 to 1: scalars without a gradient. Both are ½ where the discriminator
    /// is at a loss.
    pub(super) fn verdicts(&self, judged: &Judgement) -> [Tensor; 2] {
        let Judgement { real, fake } = judged;
        let [real, fake] = [real.detach(), fake.detach()];
        match self.loss {
            Loss::Bce | Loss::Hinge => [real.sigmoid(), fake.sigmoid()],
            Loss::LeastSquares => [real.clamp(0.0, 1.0), fake.clamp(0.0, 1.0)],
            // The probability that the real image is the more real one of a pair, and that the fake is.
            Loss::Wasserstein | Loss::Relativistic => {
                [(&real - &fake).sigmoid(), (fake - real).sigmoid()]
            }
        }
        .map(|shares| shares.mean(Kind::Float))
    }

    /// Whether the generator's loss depends on the logits on real images.
    pub fn generator_needs_real(&self) -> bool {
        self.loss == Loss::Relativistic
    }

    /// −log σ(real), or with one-sided label smoothing s: −(1 − s) log σ(real) − s log(1 − σ(real)) (Salimans et al.
    /// 2016, section 3.4).
    fn taken_for_real(&self, real: &Tensor) -> Tensor {
        let s = self.label_smoothing;
        if s == 0.0 {
            return mean_softplus(real, -1.0);
        }
        mean_softplus(real, -1.0) * (1.0 - s) + mean_softplus(real, 1.0) * s
    }
}
