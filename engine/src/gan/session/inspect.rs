//! What the networks of a step can do, without a step.

use tch::{Kind, Tensor, no_grad};

use super::Session;
use crate::gan::painter::{Noise, round_robin};
use crate::seed::{Stream, derive};

/// Pictures that are drawn in one go.
const CHUNK: i64 = 250;

/// Real images and fakes, each, that the discriminator is asked about.
const ASKED: i64 = 500;

/// Pictures, and how well the discriminator tells fakes from real images.
#[derive(Debug)]
pub struct Inspection {
    /// `[n, channels, height, width]`, u8, as [`Session::sample`] draws them.
    pub pictures: Tensor,
    /// Share of real images that are taken for real, 0 to 1.
    pub accuracy_real: f64,
    /// Share of fakes that are taken for fake, 0 to 1.
    pub accuracy_fake: f64,
}

impl Session {
    /// Draws `count` pictures, 500 or more, from fresh noise, and asks the discriminator about 500 fakes of the
    /// generator itself and as many real images. Changes nothing of the steps to come.
    pub fn inspect(&self, count: i64) -> Inspection {
        let seed = derive(self.seed, Stream::Inspection, self.steps);
        let noise = Noise::seeded(seed, self.latent_dim.unsigned_abs()).draw(count.max(ASKED));
        let pictures: Vec<_> = noise
            .split(CHUNK, 0)
            .iter()
            .map(|noise| self.sample(noise))
            .collect();
        let [accuracy_real, accuracy_fake] = no_grad(|| self.accuracies(&noise));
        Inspection {
            pictures: Tensor::cat(&pictures, 0).narrow(0, 0, count),
            accuracy_real,
            accuracy_fake,
        }
    }

    /// Shares of real images and of fakes that the discriminator knows for what they are, seen through the lens of its
    /// training, but without dropout. Draws from libtorch's generator.
    fn accuracies(&self, noise: &Tensor) -> [f64; 2] {
        let data = self.batches.data();
        let options = (Kind::Int64, self.device());
        let real = data.select(&Tensor::randint(data.len() as i64, [ASKED], options));
        let noise = noise.narrow(0, 0, ASKED).to_device(self.device());
        let classes =
            round_robin(0, ASKED, self.classes).map(|classes| classes.to_device(self.device()));
        let fake = self.generator.network.evaluate(&noise, classes.as_ref());
        let judge = |images: &Tensor, classes: Option<&Tensor>| {
            let seen = self.lens.look(images, self.steps);
            self.discriminator.network.evaluate(&seen, classes)
        };
        let real = judge(&real.images, real.classes.as_ref());
        let fake = judge(&fake, classes.as_ref());
        let verge = self
            .objective
            .verge()
            .unwrap_or_else(|| Tensor::cat(&[&real, &fake], 0).median().double_value(&[]));
        let share = |of: Tensor| {
            of.to_kind(Kind::Double)
                .mean(Kind::Double)
                .double_value(&[])
        };
        [share(real.gt(verge)), share(fake.lt(verge))]
    }
}
