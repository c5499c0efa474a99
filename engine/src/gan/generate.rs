//! The task of making pictures from noise.

use sparring_contract::config::Config;
use sparring_contract::protocol::MetricSpec;
use tch::{Kind, Tensor};

use super::augment::Augment;
use super::loss::AdversarialLoss;
use super::metrics::adversarial_specs;
use super::models::PictureSpec;
use super::sampler::{Noise, round_robin};
use super::task::{GeneratorLoss, GeneratorTurn, Preview, StepOutcome, Task};
use crate::data::{Batch, Dataset};

/// Noise, and a class if the networks are conditional, to pictures: the game of Goodfellow et al. 2014.
#[derive(Debug)]
pub struct Generate {
    latent_dim: i64,
    /// 0 if unconditional.
    num_classes: i64,
    loss: AdversarialLoss,
    augment: Augment,
}

impl Generate {
    /// The task of a configuration.
    pub fn new(config: &Config, spec: PictureSpec) -> Self {
        Self {
            latent_dim: config.latent_dim.cast_signed(),
            num_classes: spec.num_classes,
            loss: AdversarialLoss::new(config),
            augment: Augment::new(config),
        }
    }
}

impl Task for Generate {
    fn loss(&self) -> &AdversarialLoss {
        &self.loss
    }

    fn generator_input(&self, batch: &Batch) -> Tensor {
        let size = [batch.images.size()[0], self.latent_dim];
        Tensor::randn(size, (Kind::Float, batch.images.device()))
    }

    fn classes<'a>(&self, batch: &'a Batch) -> Option<&'a Tensor> {
        batch.classes.as_ref().filter(|_| self.num_classes > 0)
    }

    fn discriminator_input(&self, pictures: &Tensor, _inputs: &Tensor, step: u64) -> Tensor {
        self.augment.apply(pictures, step)
    }

    fn variant(&self, step: u64) -> Option<u64> {
        (!self.augment.changes_at(step)).then_some(0)
    }

    fn generator_loss(&self, turn: &GeneratorTurn<'_>) -> GeneratorLoss {
        GeneratorLoss {
            total: self.loss.generator(turn.logits),
            terms: Vec::new(),
        }
    }

    /// Normal noise; the classes take turns.
    fn preview(&self, seed: u64, count: i64, _data: &Dataset) -> Preview {
        Preview {
            distinct: count,
            input: Noise::seeded(seed, self.latent_dim.unsigned_abs()).draw(count),
            classes: round_robin(0, count, self.num_classes),
            truth: None,
            missing: None,
            domains: None,
        }
    }

    fn exhibit(
        &self,
        _preview: &Preview,
        made: &Tensor,
        _generate: &dyn Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        made.shallow_clone()
    }

    fn parts(&self) -> &'static [&'static str] {
        &[]
    }

    fn metric_specs(&self) -> Vec<MetricSpec> {
        adversarial_specs(&self.loss)
    }

    fn measure(&self, outcome: StepOutcome<'_>) -> Vec<Tensor> {
        let [d_real, d_fake] = self.loss.probabilities(&outcome.logits);
        vec![outcome.d_loss, outcome.g_loss, d_real, d_fake]
    }
}
