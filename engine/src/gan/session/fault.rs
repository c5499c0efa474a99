//! Numbers that are not finite: whether a step had any, and where the first one was.

use std::fmt;

use super::Session;
use super::read::read;
use crate::native::no_grad;
use crate::optim::NetworkOptimizer;
use crate::seed::{Stream, reseed};

/// A number that is not finite, and where it is first, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Session {
    /// The fault of the steps since the state was last loaded, if there was one. Adam did not apply a gradient that was
    /// not finite, but it applied the other gradients of that step. Waits for the device, once; costs next to nothing on
    /// the CPU.
    pub fn fault(&mut self) -> Option<Fault> {
        let optimizers = self.optimizers();
        let mut signs: Vec<_> = optimizers.map(NetworkOptimizer::fault).to_vec();
        signs.extend(self.losses.iter().flatten());
        let signs = read(&signs);
        let faulty = optimizers
            .into_iter()
            .zip(&signs)
            .find(|(_, sign)| **sign != 0.0);
        let what = match faulty {
            _ if signs.iter().any(|sign| !sign.is_finite()) => "a loss is not finite".to_owned(),
            Some((optimizer, _)) => {
                let name = optimizer.network().name();
                format!("a gradient of the {name} is not finite")
            }
            None => return None,
        };
        Some(Fault(match self.first_non_finite() {
            Some(first) => format!("{what}: {first}"),
            None => what,
        }))
    }

    /// The first place where a number is not finite, from the generator's input to the logits, on the images of the
    /// next step.
    fn first_non_finite(&mut self) -> Option<String> {
        let batch = self.loader.batches(self.steps).pop()?;
        reseed(self.step_seed, Stream::Step, self.steps);
        let input = self.task.generator_input(&batch);
        let classes = self.task.classes(&batch);
        let [generator, discriminator] = self.optimizers().map(NetworkOptimizer::network);
        no_grad(|| {
            generator.first_non_finite(&input, classes).or_else(|| {
                let fake = generator.evaluate(&input, classes);
                [&batch.images, &fake].into_iter().find_map(|pictures| {
                    let seen = self.task.discriminator_input(pictures, &input, self.steps);
                    discriminator.first_non_finite(&seen, classes)
                })
            })
        })
    }
}
