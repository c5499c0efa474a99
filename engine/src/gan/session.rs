//! A game in progress: two networks, their optimisers and the data, one step at a time.

mod inspect;

use std::fmt;

use sparring_contract::config::Config;
use tch::{Device, Kind, Tensor, no_grad};

use super::Network;
use super::average::Average;
use super::lens::Lens;
use super::objective::{Judgement, Objective};
use super::painter::{Noise, round_robin, sample};
use super::penalty::Penalty;
use super::player::Player;
use super::precision::Precision;
use super::schedule::Schedule;
use super::snapshot::{Snapshot, SnapshotError};
use super::tally::Tally;
use crate::data::{Batch, Batches, Dataset};
use crate::seed::{Stream, derive, reseed};

pub use inspect::Inspection;

/// A generator and a discriminator that learn from each other. The caller drives: one call of [`Session::step`] is
/// one step, and between two steps the session can be sampled, saved or left alone for an hour.
#[derive(Debug)]
pub struct Session {
    batches: Batches,
    latent_dim: i64,
    classes: i64,
    seed: u64,
    /// What the steps draw from: the seed, or in a further attempt another.
    step_seed: u64,
    generator: Player,
    discriminator: Player,
    generator_steps: u64,
    objective: Objective,
    penalty: Penalty,
    precision: Precision,
    lens: Lens,
    schedule: Schedule,
    average: Option<Average>,
    tally: Tally<4>,
    /// Losses of the latest step: the discriminator's and the generator's.
    losses: Option<[Tensor; 2]>,
    steps: u64,
}

/// Means over the steps since the last reading, and the gradients' norms at the last step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Discriminator's loss; in nats if it is a likelihood.
    pub d_loss: f64,
    /// Generator's loss.
    pub g_loss: f64,
    /// D(x), 0 to 1; of a loss that compares pairs, how sure it is that the real image is the real one.
    pub d_real: f64,
    /// D(G(z)), 0 to 1, before the discriminator learnt from these fakes.
    pub d_fake: f64,
    /// L2 norm of the discriminator's gradient.
    pub d_grad_norm: f64,
    /// L2 norm of the generator's gradient.
    pub g_grad_norm: f64,
}

/// Something that is not finite, and where it is so first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Session {
    /// Builds both networks for the images of `data`, on its device; the configuration must fit them
    /// ([`super::fits`]).
    pub fn new(config: &Config, data: Dataset) -> Self {
        let (device, shape) = (data.device(), data.shape());
        let generator = Network::generator(config, shape, device);
        let discriminator = Network::discriminator(config, shape, device);
        Self {
            batches: Batches::new(
                data,
                config.batch_size,
                config.discriminator_steps,
                config.seed,
            ),
            latent_dim: config.latent_dim.cast_signed(),
            classes: config.classes.cast_signed(),
            seed: config.seed,
            step_seed: config.seed,
            generator: Player::new(generator, &config.generator),
            discriminator: Player::new(discriminator, &config.discriminator),
            generator_steps: config.generator_steps,
            objective: Objective::of(config),
            penalty: Penalty::new(&config.penalty),
            precision: Precision::of(config, device),
            lens: Lens::of(config),
            schedule: Schedule::of(config),
            average: Average::of(config, shape, device),
            tally: Tally::new(device),
            losses: None,
            steps: 0,
        }
    }

    /// One adversarial step: the discriminator learns to tell real from fake, then the generator learns to fool it on
    /// the same fakes (Goodfellow et al. 2014, algorithm 1, k = 1).
    ///
    /// Everything random is drawn from (seed, step), so a session that was restored makes the steps that it would
    /// have made.
    pub fn step(&mut self) {
        self.pace();
        let mut batches = self.batches.get(self.steps); // [batch, channels, height, width] in [-1, 1]
        reseed(self.step_seed, Stream::Step, self.steps);
        let Some(last) = batches.pop() else {
            return;
        };
        for batch in batches {
            // With k > 1 the discriminator learns ahead, from fakes that the generator will not learn from.
            let noise = self.noise(&batch);
            let fake = no_grad(|| self.generate(&noise, batch.classes.as_ref()));
            let _ = self.teach_discriminator(&batch, &fake);
        }
        let noise = self.noise(&last); // [batch, latent_dim]
        self.play(&last, &noise);
        for _ in 1..self.generator_steps {
            let noise = self.noise(&last);
            let fake = self.generate(&noise, last.classes.as_ref());
            let _ = self.teach_generator(&last, &fake);
        }
        self.steps += 1;
    }

    /// [`Session::step`] on given images and noise, each network learning once.
    pub fn step_on(&mut self, batch: &Batch, noise: &Tensor) {
        self.pace();
        self.play(batch, noise);
        self.steps += 1;
    }

    /// Sets Adam's step sizes for the step to come.
    fn pace(&mut self) {
        let factor = self.schedule.factor(self.steps);
        for player in [&mut self.generator, &mut self.discriminator] {
            player.optimizer.learning_rate = player.learning_rate * factor;
        }
    }

    /// Lets each network learn once.
    fn play(&mut self, batch: &Batch, noise: &Tensor) {
        let fake = self.generate(noise, batch.classes.as_ref()); // [batch, channels, height, width] in [-1, 1]

        let (d_loss, judged) = self.teach_discriminator(batch, &fake.detach());
        let g_loss = self.teach_generator(batch, &fake);

        let [d_real, d_fake] = self.objective.verdicts(&judged);
        self.tally.add([&d_loss, &g_loss, &d_real, &d_fake]);
        self.losses = Some([d_loss, g_loss]);
    }

    /// Lets the discriminator learn to tell real images from fakes. Returns its loss and what it thought before.
    fn teach_discriminator(&mut self, batch: &Batch, fake: &Tensor) -> (Tensor, Judgement) {
        let [real, fake] = [&batch.images, fake].map(|images| self.lens.look(images, self.steps));
        let classes = batch.classes.as_ref();
        // Both in one pass: no layer of a discriminator looks at more than one image, so the logits are those of two.
        let twice = classes.map(|classes| Tensor::cat(&[classes, classes], 0));
        let both = Tensor::cat(&[&real, &fake], 0);
        let (reals, fakes) = (real.size()[0], fake.size()[0]);
        let (loss, judged) = self.precision.pass(|| {
            let judge = |images: &Tensor, classes: Option<&Tensor>| {
                self.discriminator.network.forward(images, classes)
            };
            let logits = judge(&both, twice.as_ref());
            let judged = Judgement {
                real: logits.narrow(0, 0, reals),
                fake: logits.narrow(0, reals, fakes),
            };
            let mut loss = self.objective.discriminator(&judged);
            if self.penalty.is_due(self.steps) {
                loss += self
                    .penalty
                    .of(&real, &fake, |images| judge(images, classes));
            }
            (loss, judged)
        });
        self.discriminator.learn(&loss, None);
        (loss.detach(), judged)
    }

    /// Lets the generator learn to fool the discriminator with these fakes, and its average follow. Returns its loss.
    fn teach_generator(&mut self, batch: &Batch, fake: &Tensor) -> Tensor {
        let classes = batch.classes.as_ref();
        let judge = |images: &Tensor| {
            let seen = self.lens.look(images, self.steps);
            self.discriminator.network.forward(&seen, classes)
        };
        let loss = self.precision.pass(|| {
            let fake = judge(fake);
            let real = if self.objective.generator_needs_real() {
                no_grad(|| judge(&batch.images))
            } else {
                Tensor::new()
            };
            self.objective.generator(&Judgement { real, fake })
        });
        let average = self.average.as_ref();
        let following = average.map(|average| average.following(self.steps));
        self.generator.learn(&loss, following);
        if let Some(average) = average {
            average.follow_buffers(&self.generator.network, self.steps);
        }
        loss.detach()
    }

    fn generate(&self, noise: &Tensor, classes: Option<&Tensor>) -> Tensor {
        self.precision
            .pass(|| self.generator.network.forward(noise, classes))
    }

    /// Noise for as many fakes as there are images, `[batch, latent_dim]`.
    fn noise(&self, batch: &Batch) -> Tensor {
        let size = [batch.images.size()[0], self.latent_dim];
        Tensor::randn(size, (Kind::Float, self.device()))
    }

    /// Reads what was added up since the last call. Waits for the device.
    pub fn figures(&mut self) -> Figures {
        let [d_loss, g_loss, d_real, d_fake] = self.tally.take();
        let (d_grad_norm, g_grad_norm) = (
            self.discriminator.gradient_norm(),
            self.generator.gradient_norm(),
        );
        Figures {
            d_loss,
            g_loss,
            d_real,
            d_fake,
            d_grad_norm,
            g_grad_norm,
        }
    }

    /// What was not finite in the steps since the last restoration, if anything was: such numbers were not applied, but
    /// others of the same step may have been. Waits for the device; costs nothing on the CPU.
    pub fn fault(&mut self) -> Option<Fault> {
        let lost = self.losses.as_ref().is_some_and(|losses| {
            losses
                .iter()
                .any(|loss| !loss.double_value(&[]).is_finite())
        });
        let players = [&self.generator, &self.discriminator];
        let at_fault = players.map(|player| player.optimizer.is_at_fault());
        if !lost && at_fault == [false; 2] {
            return None;
        }
        let words = if lost {
            "a loss is not finite".to_owned()
        } else {
            let at = usize::from(!at_fault[0]);
            let name = players[at].network.name();
            format!("a gradient of the {name} is not finite")
        };
        Some(Fault(match self.first_fault() {
            Some(first) => format!("{words}: {first}"),
            None => words,
        }))
    }

    /// The first place where something is not finite, from the noise to the logits, on the images of the next step.
    fn first_fault(&mut self) -> Option<String> {
        let batch = self.batches.get(self.steps).pop()?;
        reseed(self.step_seed, Stream::Step, self.steps);
        let noise = self.noise(&batch);
        let classes = batch.classes.as_ref();
        no_grad(|| {
            let [generator, discriminator] =
                [&self.generator, &self.discriminator].map(|player| &player.network);
            generator.first_fault(&noise, classes).or_else(|| {
                let fake = generator.evaluate(&noise, classes);
                [&batch.images, &fake].into_iter().find_map(|images| {
                    discriminator.first_fault(&self.lens.look(images, self.steps), classes)
                })
            })
        })
    }

    /// Draws other images and noise from here on than in the attempts before; the first has the number 0.
    pub fn set_attempt(&mut self, attempt: u64) {
        self.step_seed = match attempt {
            0 => self.seed,
            _ => derive(self.seed, Stream::Attempt, attempt),
        };
        self.batches.reseed(self.step_seed);
    }

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, a byte a pixel. Of a conditional
    /// generator's the classes go round.
    pub fn sample(&self, noise: &Tensor) -> Tensor {
        let classes = round_robin(0, noise.size()[0], self.classes);
        let average = self.average.as_ref().map(|average| &average.network);
        sample(
            average.unwrap_or(&self.generator.network),
            noise,
            classes.as_ref(),
        )
    }

    /// Pictures from `count` noises that are always the same in a run: `[n, channels, height, width]`, a byte a pixel.
    pub fn sample_fixed(&self, count: i64) -> Tensor {
        let seed = derive(self.seed, Stream::Fixed, 0);
        self.sample(&Noise::seeded(seed, self.latent_dim.unsigned_abs()).draw(count))
    }

    /// A seed for pictures that nobody chose a seed for: another one at every step, short enough to type.
    pub fn fresh_seed(&self) -> u64 {
        derive(self.seed, Stream::Fixed, self.steps + 1) % 1_000_000
    }

    /// Steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The data and its order.
    pub fn batches(&self) -> &Batches {
        &self.batches
    }

    /// The device that everything is on.
    pub fn device(&self) -> Device {
        self.batches.data().device()
    }

    /// Changes Adam's step sizes, before the schedule, from the next step on.
    pub fn set_learning_rates(&mut self, generator: f64, discriminator: f64) {
        self.generator.learning_rate = generator;
        self.discriminator.learning_rate = discriminator;
    }

    /// Numbers that the generator and the discriminator learn.
    pub fn sizes(&self) -> (u64, u64) {
        (
            self.generator.network.size(),
            self.discriminator.network.size(),
        )
    }

    /// Gradients of the latest step, by the names of the parameters.
    pub fn gradients(&self) -> Vec<(String, &Tensor)> {
        [&self.generator, &self.discriminator]
            .into_iter()
            .flat_map(Player::named_gradients)
            .collect()
    }

    /// Everything that the next step depends on, beside the configuration.
    pub fn snapshot(&self) -> Snapshot {
        let mut tensors = Vec::new();
        for player in [&self.generator, &self.discriminator] {
            player.save(&mut tensors);
        }
        tensors.extend(self.average.iter().flat_map(Average::named));
        Snapshot {
            steps: self.steps,
            tensors,
        }
    }

    /// Goes back, or forward, to a snapshot of a session of the same configuration.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        // Checked as a whole before the first tensor changes: a snapshot that does not fit leaves all as it was.
        let own = self.snapshot();
        for (name, tensor) in &own.tensors {
            snapshot.fitting(name, &tensor.size())?;
        }
        no_grad(|| -> Result<(), SnapshotError> {
            for (name, mut tensor) in own.tensors {
                tensor.copy_(snapshot.fitting(&name, &tensor.size())?);
            }
            Ok(())
        })?;
        self.steps = snapshot.steps;
        self.tally = Tally::new(self.device());
        self.losses = None;
        for player in [&mut self.generator, &mut self.discriminator] {
            player.optimizer.forgive();
        }
        Ok(())
    }
}
