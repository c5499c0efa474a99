//! What one kind of adversarial training differs in from another.

use std::fmt;

use sparring_contract::protocol::MetricSpec;
use tch::Tensor;

use super::loss::{AdversarialLoss, Logits};
use crate::data::Batch;

/// What the generator is to learn, and by which rules. [`super::Session::step`] is the same for every task.
pub trait Task: fmt::Debug {
    /// The adversarial losses of both networks.
    fn loss(&self) -> &AdversarialLoss;

    /// The generator's input for as many fakes as the batch has images. May draw from libtorch's generator.
    fn generator_input(&self, batch: &Batch) -> Tensor;

    /// The classes that both networks are told, `[n]`, i64; `None` for unconditional networks.
    fn classes<'a>(&self, batch: &'a Batch) -> Option<&'a Tensor>;

    /// What the discriminator sees of pictures that belong to this batch, real or fake, in this step. Differentiable.
    /// May draw from libtorch's generator.
    fn discriminator_input(&self, pictures: &Tensor, batch: &Batch, step: u64) -> Tensor;

    /// Which steps make the same operations as this one, with the same constants: all those with the same number. `None` if
    /// no other step does, because something changes from step to step that is not on the device.
    fn variant(&self, step: u64) -> Option<u64>;

    /// The loss that the generator minimises, from the logits on its fakes and the fakes themselves: a scalar.
    fn generator_loss(&self, logits: &Logits, fake: &Tensor, batch: &Batch) -> Tensor;

    /// The inputs of `count` preview pictures: the same for the same seed.
    fn preview(&self, seed: u64, count: i64) -> GeneratorInput;

    /// The specs of what [`Task::measure`] returns, in its order.
    fn metric_specs(&self) -> Vec<MetricSpec>;

    /// The metrics of a step: scalars on the device, without gradients.
    fn measure(&self, outcome: StepOutcome) -> Vec<Tensor>;
}

/// What a generator makes pictures from.
#[derive(Debug)]
pub struct GeneratorInput {
    /// `[n, …]`; for today's generators noise, `[n, latent_dim]`.
    pub input: Tensor,
    /// `[n]`, i64, if the generator is conditional.
    pub classes: Option<Tensor>,
}

/// What a step leaves behind for the metrics.
#[derive(Debug)]
pub struct StepOutcome {
    /// The discriminator's loss, a scalar.
    pub d_loss: Tensor,
    /// The generator's loss, a scalar.
    pub g_loss: Tensor,
    /// What the discriminator thought before it learnt in this step.
    pub logits: Logits,
}
