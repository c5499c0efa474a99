//! What a recorded step needs of a session.

use tch::Tensor;

use super::Session;
use super::recorded::{Outcome, Recordable, Variant};
use crate::data::Batch;
use crate::optim::NetworkOptimizer;
use crate::seed::{Stream, reseed};

impl Recordable for Session {
    fn learn(&mut self, batches: &[Batch]) {
        self.learn_from(batches);
    }

    fn next_batches(&mut self) -> Vec<Batch> {
        let batches = self.loader.batches(self.steps); // [batch, channels, height, width] in [-1, 1]
        reseed(self.step_seed, Stream::Step, self.steps);
        batches
    }

    fn next_batches_into(&mut self, batches: &[Batch]) {
        self.loader.batches_into(self.steps, batches);
        reseed(self.step_seed, Stream::Step, self.steps);
    }

    fn variant(&self) -> Option<Variant> {
        let of_task = self.task.variant(self.steps)?;
        self.loader.is_whole(self.steps).then(|| Variant {
            has_penalty: self.penalty.is_due(self.steps),
            of_task,
        })
    }

    fn outcome(&self) -> Outcome {
        let gradients = |of: &NetworkOptimizer| {
            let gradients = of.gradients();
            gradients
                .map(|(_, gradient)| gradient.shallow_clone())
                .collect()
        };
        Outcome {
            losses: self.losses.as_ref().map(copied),
            generator_gradients: gradients(&self.generator),
            discriminator_gradients: gradients(&self.discriminator),
        }
    }

    fn set_outcome(&mut self, outcome: &Outcome) {
        self.losses = outcome.losses.as_ref().map(copied);
        self.generator.set_gradients(&outcome.generator_gradients);
        self.discriminator
            .set_gradients(&outcome.discriminator_gradients);
    }
}

fn copied(losses: &[Tensor; 2]) -> [Tensor; 2] {
    losses.each_ref().map(Tensor::shallow_clone)
}
