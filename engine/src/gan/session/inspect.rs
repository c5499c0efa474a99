//! What the networks can do at a step, measured without changing anything.

use tch::{Kind, Tensor};

use super::Session;
use crate::data::to_bytes;
use crate::native::no_grad;
use crate::seed::{Stream, derive};

/// Pictures that are drawn in one pass.
const CHUNK: i64 = 250;

/// Real images, and as many fakes, on which the discriminator is tested.
const TESTED: i64 = 500;

/// Pictures, and how well the discriminator tells fakes from real images.
#[derive(Debug)]
pub struct Inspection {
    /// `[n, channels, height, width]`, u8, as from [`Session::sample`].
    pub pictures: Tensor,
    /// `[n]`, i64: the domain that each picture is to be of, if they have domains.
    pub domains: Option<Tensor>,
    /// How many of the first pictures are of different inputs.
    pub distinct: i64,
    /// The right answers, `[n, channels, height, width]`, u8, if there are any.
    pub truth: Option<Tensor>,
    /// `[n, 1, height, width]`: 1 where a pixel was filled in, if the others were known.
    pub missing: Option<Tensor>,
    /// Share of real images that the discriminator takes for real, 0 to 1.
    pub accuracy_real: f64,
    /// Share of fakes that the discriminator takes for fake, 0 to 1.
    pub accuracy_fake: f64,
}

impl Session {
    /// Draws `count` pictures from fresh inputs, with classes in the proportions of the data, and tests the discriminator on 500 real images and as many fakes of
    /// the generator itself (not of its average). Does not change the steps to come.
    pub fn inspect(&self, count: i64) -> Inspection {
        let seed = derive(self.seed, Stream::Inspection, self.steps);
        let preview = self.preview(seed, count);
        let inputs = preview.input.split(CHUNK, 0);
        // Pictures of all classes equally would differ from the data that are not.
        let classes = preview
            .classes
            .and_then(|_| self.loader.data().typical_classes(count))
            .map(|classes| classes.split(CHUNK, 0));
        let pictures: Vec<_> = (0..inputs.len())
            .map(|chunk| {
                let classes = classes.as_ref().map(|classes| &classes[chunk]);
                self.sample_from(&inputs[chunk], classes)
            })
            .collect();
        let [accuracy_real, accuracy_fake] = no_grad(|| self.accuracies());
        Inspection {
            pictures: Tensor::cat(&pictures, 0),
            distinct: preview.distinct,
            domains: preview.domains,
            truth: preview.truth.as_ref().map(to_bytes),
            missing: preview.missing,
            accuracy_real,
            accuracy_fake,
        }
    }

    /// Shares of real images and of fakes that the discriminator classifies correctly, augmented as in training but
    /// without dropout. Draws from libtorch's generator.
    fn accuracies(&self) -> [f64; 2] {
        let data = self.loader.data();
        let options = (Kind::Int64, self.device());
        let batch = data.select(&Tensor::randint(data.len() as i64, [TESTED], options));
        let classes = self.task.classes(&batch);
        let input = self.task.generator_input(&batch);
        let fake = self.generator.network().evaluate(&input, classes);
        let [on_real, on_fake] = [&batch.images, &fake].map(|pictures| {
            let seen = self.task.discriminator_input(pictures, &input, self.steps);
            self.discriminator.network().evaluate(&seen, classes)
        });
        let threshold = self.task.loss().decision_threshold().unwrap_or_else(|| {
            let all = Tensor::cat(&[&on_real, &on_fake], 0);
            all.median().double_value(&[])
        });
        let share = |of: Tensor| {
            let of = of.to_kind(Kind::Double);
            of.mean(Kind::Double).double_value(&[])
        };
        [share(on_real.gt(threshold)), share(on_fake.lt(threshold))]
    }
}
