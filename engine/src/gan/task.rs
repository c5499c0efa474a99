//! What one kind of adversarial training differs in from another.

use std::fmt;

use sparring_contract::protocol::MetricSpec;
use tch::Tensor;

use super::loss::{AdversarialLoss, Logits};
use crate::data::{Batch, Dataset};

/// What the generator is to learn, and by which rules. [`super::Session::step`] is the same for every task.
pub trait Task: fmt::Debug {
    /// The adversarial losses of both networks.
    fn loss(&self) -> &AdversarialLoss;

    /// The generator's input for as many fakes as the batch has images. May draw from libtorch's generator.
    fn generator_input(&self, batch: &Batch) -> Tensor;

    /// The classes that both networks are told, `[n]`, i64; `None` for unconditional networks.
    fn classes<'a>(&self, batch: &'a Batch) -> Option<&'a Tensor>;

    /// What the discriminator sees of pictures that belong to these inputs of the generator, real or fake, in this step.
    /// Differentiable. May draw from libtorch's generator.
    fn discriminator_input(&self, pictures: &Tensor, inputs: &Tensor, step: u64) -> Tensor;

    /// Which steps make the same operations as this one, with the same constants: all those with the same number. `None` if
    /// no other step does, because something changes from step to step that is not on the device.
    fn variant(&self, step: u64) -> Option<u64>;

    /// The loss that the generator minimises.
    fn generator_loss(&self, turn: &GeneratorTurn<'_>) -> GeneratorLoss;

    /// `count` previews: the same for the same seed. What they are made from is taken from `data`, if the task needs any.
    fn preview(&self, seed: u64, count: i64, data: &Dataset) -> Preview;

    /// Whether a class is a domain, and pictures of one are made from those of another.
    fn has_domains(&self) -> bool {
        false
    }

    /// What stands beside the generator's pictures `[n, c, h, w]`, u8, where they are shown: pictures of the same shape, those
    /// of each preview together, in the order of [`Task::parts`]. `generate` makes such pictures of other inputs.
    fn exhibit(
        &self,
        preview: &Preview,
        made: &Tensor,
        generate: &dyn Fn(&Tensor) -> Tensor,
    ) -> Tensor;

    /// What the pictures of one preview are, a word each; empty if it is the generator's alone.
    fn parts(&self) -> &'static [&'static str];

    /// The specs of what [`Task::measure`] returns, in its order.
    fn metric_specs(&self) -> Vec<MetricSpec>;

    /// The metrics of a step: scalars on the device, without gradients.
    fn measure(&self, outcome: StepOutcome<'_>) -> Vec<Tensor>;
}

/// What a generator's loss is computed from.
pub struct GeneratorTurn<'a> {
    /// On its fakes, and on real images where the adversarial loss compares the two.
    pub logits: &'a Logits,
    /// The fakes `[n, c, h, w]`, in [-1, 1].
    pub fake: &'a Tensor,
    /// What they were made from.
    pub input: &'a Tensor,
    /// The images that belong to those inputs.
    pub batch: &'a Batch,
    /// Makes fakes of other inputs, as many as the batch has images or fewer, if they are of no class.
    pub generate: &'a dyn Fn(&Tensor) -> Tensor,
}

/// The loss that a generator minimises.
#[derive(Debug)]
pub struct GeneratorLoss {
    /// A scalar.
    pub total: Tensor,
    /// What the metrics need of how it came about: scalars without gradients.
    pub terms: Vec<Tensor>,
}

/// What pictures to look at are made from.
#[derive(Debug)]
pub struct Preview {
    /// The generator's input, `[n, …]`: noise `[n, latent_dim]`, or conditions and noise `[n, channels, h, w]`.
    pub input: Tensor,
    /// How many of the first inputs are all different: fewer than all where there are fewer pictures to make others from.
    pub distinct: i64,
    /// `[n]`, i64, if the generator is conditional.
    pub classes: Option<Tensor>,
    /// `[n]`, i64: the domain that each picture is to be of, if they have domains.
    pub domains: Option<Tensor>,
    /// The images that are to come out, `[n, c, h, w]` in [-1, 1], if there is a right answer.
    pub truth: Option<Tensor>,
    /// `[n, 1, h, w]`: 1 where a pixel is to be filled in, if the others are known.
    pub missing: Option<Tensor>,
}

/// What a step leaves behind for the metrics.
#[derive(Debug)]
pub struct StepOutcome<'a> {
    /// The discriminator's loss, a scalar.
    pub d_loss: Tensor,
    /// The generator's loss, a scalar.
    pub g_loss: Tensor,
    /// The terms of the generator's loss ([`GeneratorLoss::terms`]).
    pub terms: Vec<Tensor>,
    /// What the discriminator thought before it learnt in this step.
    pub logits: Logits,
    /// The fakes, without a gradient.
    pub fake: Tensor,
    /// What they were made from.
    pub input: &'a Tensor,
    /// The images that belong to those inputs.
    pub batch: &'a Batch,
}
