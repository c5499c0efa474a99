//! What the two networks play for.

use tch::Tensor;

use crate::native::mean_softplus;

/// The discriminator's logits on real and on fake images, `[n, 1]` each.
#[derive(Debug)]
pub struct Judgement {
    /// On real images.
    pub real: Tensor,
    /// On fakes.
    pub fake: Tensor,
}

impl Judgement {
    /// The discriminator's loss, in nats: binary cross-entropy with «real» for real and «fake» for fakes,
    /// −log σ(real) − log(1 − σ(fake)), each a mean over the batch (Goodfellow et al. 2014, equation 1).
    pub fn discriminator_loss(&self) -> Tensor {
        mean_softplus(&self.real, -1.0) + mean_softplus(&self.fake, 1.0)
    }
}

/// The generator's loss, in nats, from the logits on its fakes: −log σ(fake), the form that does not saturate while
/// the discriminator wins (Goodfellow et al. 2014, section 3).
pub fn generator_loss(fake: &Tensor) -> Tensor {
    mean_softplus(fake, -1.0)
}
