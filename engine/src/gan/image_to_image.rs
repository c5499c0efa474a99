//! The tasks of making pictures from pictures.

use sparring_contract::config::{Config, LossWeights};
use sparring_contract::protocol::{Better, MetricKind, MetricSpec};
use tch::{Kind, Tensor};

use super::augment::Augment;
use super::conditions::{chosen_of, with_noise};
use super::loss::AdversarialLoss;
use super::metrics::adversarial_specs;
use super::models::PictureSpec;
use super::task::{GeneratorLoss, GeneratorTurn, Preview, StepOutcome, Task};
use crate::data::{Batch, Dataset, Degradation, to_bytes};

/// Conditions, and noise if there is any, to pictures: pix2pix (Isola et al. 2017). The discriminator sees the condition
/// beside the picture, and the generator's loss also has the distance from the true picture.
#[derive(Debug)]
pub struct ImageToImage {
    degradation: Degradation,
    /// Channels of a condition.
    condition_channels: i64,
    /// Channels of a picture.
    channels: i64,
    latent_dim: i64,
    weights: LossWeights,
    loss: AdversarialLoss,
    augment: Augment,
}

impl ImageToImage {
    /// The task of a configuration, whose pictures are made from what `degradation` leaves of them.
    pub fn new(config: &Config, spec: PictureSpec, degradation: Degradation) -> Self {
        Self {
            degradation,
            condition_channels: spec.condition_channels(),
            channels: spec.shape[0],
            latent_dim: config.latent_dim.cast_signed(),
            weights: config.loss_weights,
            loss: AdversarialLoss::new(config),
            augment: Augment::new(config),
        }
    }

    fn condition(&self, input: &Tensor) -> Tensor {
        input.narrow(1, 0, self.condition_channels)
    }

    /// The noise in the generator's input, `[n, latent_dim]`.
    fn noise(&self, input: &Tensor) -> Tensor {
        let noise = input.narrow(1, self.condition_channels, self.latent_dim);
        noise.select(3, 0).select(2, 0)
    }

    /// The mean absolute difference of pictures, of each or of all; where pixels were missing, of those.
    fn difference(&self, a: &Tensor, b: &Tensor, input: &Tensor) -> Tensor {
        let difference = (a - b).abs();
        match self.degradation.missing(input, self.channels) {
            Some(missing) => {
                let count = missing.sum(Kind::Float) * self.channels as f64;
                difference.sum(Kind::Float) / count
            }
            None => difference.mean(Kind::Float),
        }
    }

    /// How little the noise changes the pictures: the distance between two noise vectors over that between what the
    /// generator makes of them from the same conditions (Mao et al. 2019, «Mode Seeking Generative Adversarial Networks»,
    /// equation 3 turned over, as in their program). Half of the batch is made a second time.
    fn sameness(&self, turn: &GeneratorTurn<'_>) -> Tensor {
        let half = (turn.input.size()[0] + 1) / 2;
        let input = turn.input.narrow(0, 0, half);
        let again = with_noise(&self.condition(&input), self.latent_dim);
        let between_noise = (self.noise(&input) - self.noise(&again))
            .abs()
            .mean(Kind::Float);
        let made = turn.fake.narrow(0, 0, half);
        let between_pictures = self.difference(&made, &(turn.generate)(&again), &input);
        between_noise / (between_pictures + 1e-2)
    }
}

impl Task for ImageToImage {
    fn loss(&self) -> &AdversarialLoss {
        &self.loss
    }

    fn generator_input(&self, batch: &Batch) -> Tensor {
        with_noise(&self.degradation.apply(batch), self.latent_dim)
    }

    fn classes<'a>(&self, _batch: &'a Batch) -> Option<&'a Tensor> {
        None
    }

    fn discriminator_input(&self, pictures: &Tensor, inputs: &Tensor, step: u64) -> Tensor {
        let both = Tensor::cat(&[&self.condition(inputs), pictures], 1);
        self.augment.apply(&both, step)
    }

    fn variant(&self, step: u64) -> Option<u64> {
        (!self.augment.changes_at(step)).then_some(0)
    }

    fn generator_loss(&self, turn: &GeneratorTurn<'_>) -> GeneratorLoss {
        let LossWeights {
            adversarial,
            l1,
            diversity,
            ..
        } = self.weights;
        let mut loss = self.loss.generator(turn.logits) * adversarial;
        if l1 > 0.0 {
            loss += self.difference(turn.fake, &turn.batch.images, turn.input) * l1;
        }
        if diversity > 0.0 {
            loss += self.sameness(turn) * diversity;
        }
        GeneratorLoss {
            total: loss,
            terms: Vec::new(),
        }
    }

    /// Held-out pictures, if there are any, chosen by the seed; so are masks and noise.
    fn preview(&self, seed: u64, count: i64, data: &Dataset) -> Preview {
        let data = data.test().unwrap_or(data);
        tch::manual_seed(seed.cast_signed());
        let chosen = chosen_of(data.len() as i64, count);
        let batch = data.select(&chosen.to_device(data.device()));
        let input = self.generator_input(&batch);
        Preview {
            distinct: count.min(data.len() as i64),
            missing: self.degradation.missing(&input, self.channels),
            input,
            classes: None,
            truth: Some(batch.images),
            domains: None,
        }
    }

    fn exhibit(
        &self,
        preview: &Preview,
        made: &Tensor,
        _generate: &dyn Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let condition = preview
            .input
            .narrow(1, 0, self.condition_channels.min(self.channels));
        let shown = to_bytes(&condition.expand_as(made));
        let truth = preview
            .truth
            .as_ref()
            .map_or_else(|| made.shallow_clone(), to_bytes);
        Tensor::stack(&[&shown, made, &truth], 1).flatten(0, 1)
    }

    fn parts(&self) -> &'static [&'static str] {
        self.degradation.parts()
    }

    fn metric_specs(&self) -> Vec<MetricSpec> {
        let mut specs = adversarial_specs(&self.loss);
        specs.push(MetricSpec {
            better: Better::Lower,
            ..MetricSpec::new(
                "l1",
                "L1",
                MetricKind::Distance,
                "Mean absolute difference between the generator's pictures of the batch and the true ones, where a pixel \
                 goes from 0 to 1; in a repair, of the missing pixels.",
            )
        });
        specs
    }

    fn measure(&self, outcome: StepOutcome<'_>) -> Vec<Tensor> {
        let [d_real, d_fake] = self.loss.probabilities(&outcome.logits);
        let l1 = self.difference(&outcome.fake, &outcome.batch.images, outcome.input) * 0.5;
        vec![outcome.d_loss, outcome.g_loss, d_real, d_fake, l1]
    }
}
