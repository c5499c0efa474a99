//! A game in progress: two networks, their optimisers and the data, one step at a time.

use sparring_contract::config::{self, Config};
use tch::{Device, Kind, Tensor, no_grad};

use super::objective::{Judgement, generator_loss};
use super::painter::{Noise, sample};
use super::snapshot::{Snapshot, SnapshotError};
use super::tally::Tally;
use super::{Adam, Network};
use crate::data::{Batches, Dataset};
use crate::seed::{Stream, derive, reseed};

/// A generator and a discriminator that learn from each other. The caller drives: one call of [`Session::step`] is
/// one step, and between two steps the session can be sampled, saved or left alone for an hour.
#[derive(Debug)]
pub struct Session {
    batches: Batches,
    latent_dim: i64,
    seed: u64,
    generator: Player,
    discriminator: Player,
    tally: Tally<4>,
    steps: u64,
}

/// A network and what makes it learn.
#[derive(Debug)]
struct Player {
    network: Network,
    optimizer: Adam,
    /// Of the latest step, in the order of the parameters; empty before the first.
    gradients: Vec<Tensor>,
}

/// Means over the steps since the last reading, and the gradients' norms at the last step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Discriminator's loss in nats.
    pub d_loss: f64,
    /// Generator's loss in nats.
    pub g_loss: f64,
    /// D(x), 0 to 1.
    pub d_real: f64,
    /// D(G(z)), 0 to 1, before the discriminator learnt from these fakes.
    pub d_fake: f64,
    /// L2 norm of the discriminator's gradient.
    pub d_grad_norm: f64,
    /// L2 norm of the generator's gradient.
    pub g_grad_norm: f64,
}

impl Session {
    /// Builds both networks for the images of `data`, on its device; the configuration must fit them
    /// ([`super::fits`]).
    pub fn new(config: &Config, data: Dataset) -> Self {
        let (device, shape, seed) = (data.device(), data.shape(), config.seed);
        let generator =
            Network::generator(&config.generator, config.latent_dim, shape, device, seed);
        let discriminator = Network::discriminator(&config.discriminator, shape, device, seed);
        Self {
            batches: Batches::new(data, config.batch_size, seed),
            latent_dim: config.latent_dim.cast_signed(),
            seed,
            generator: Player::new(generator, &config.generator),
            discriminator: Player::new(discriminator, &config.discriminator),
            tally: Tally::new(device),
            steps: 0,
        }
    }

    /// One adversarial step: the discriminator learns to tell real from fake, then the generator learns to fool it on
    /// the same fakes (Goodfellow et al. 2014, algorithm 1, k = 1).
    ///
    /// Everything random is drawn from (seed, step), so a session that was restored makes the steps that it would
    /// have made.
    pub fn step(&mut self) {
        let real = self.batches.get(self.steps); // [batch, channels, height, width] in [-1, 1]
        reseed(self.seed, Stream::Step, self.steps);
        let noise = Tensor::randn(
            [real.size()[0], self.latent_dim],
            (Kind::Float, self.device()),
        ); // [batch, latent_dim]
        self.step_on(&real, &noise);
    }

    /// [`Session::step`] on given images and noise.
    pub fn step_on(&mut self, real: &Tensor, noise: &Tensor) {
        let fake = self.generator.network.forward(noise); // [batch, channels, height, width] in [-1, 1]

        let judged = self.judge(real, &fake.detach());
        let d_loss = judged.discriminator_loss();
        self.discriminator.learn(&d_loss);

        let g_loss = generator_loss(&self.discriminator.network.forward(&fake));
        self.generator.learn(&g_loss);

        let mean_probability = |logits: &Tensor| logits.detach().sigmoid().mean(Kind::Float);
        let (d_real, d_fake) = (
            mean_probability(&judged.real),
            mean_probability(&judged.fake),
        );
        self.tally
            .add([&d_loss.detach(), &g_loss.detach(), &d_real, &d_fake]);
        self.steps += 1;
    }

    /// Both batches in one pass: no layer of a discriminator looks at more than one image, so the logits are those of
    /// two passes.
    fn judge(&self, real: &Tensor, fake: &Tensor) -> Judgement {
        let logits = self
            .discriminator
            .network
            .forward(&Tensor::cat(&[real, fake], 0));
        let (reals, fakes) = (real.size()[0], fake.size()[0]);
        Judgement {
            real: logits.narrow(0, 0, reals),
            fake: logits.narrow(0, reals, fakes),
        }
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

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, a byte a pixel.
    pub fn sample(&self, noise: &Tensor) -> Tensor {
        sample(&self.generator.network, noise)
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

    /// Changes Adam's step sizes from the next step on.
    pub fn set_learning_rates(&mut self, generator: f64, discriminator: f64) {
        self.generator.optimizer.learning_rate = generator;
        self.discriminator.optimizer.learning_rate = discriminator;
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
        Ok(())
    }
}

impl Player {
    fn new(network: Network, plan: &config::Network) -> Self {
        let optimizer = Adam::new(network.leaves(), plan.learning_rate, plan.betas);
        Self {
            network,
            optimizer,
            gradients: Vec::new(),
        }
    }

    /// Takes the gradients of a loss for this player's parameters, and for nothing else on the way there, and lets
    /// the optimiser apply them.
    fn learn(&mut self, loss: &Tensor) {
        // The memory of the last gradients is still in the cache: let the next ones have it.
        self.gradients.clear();
        self.gradients = Tensor::run_backward(&[loss], self.optimizer.parameters(), false, false);
        self.optimizer.step(&self.gradients);
    }

    fn gradient_norm(&self) -> f64 {
        if self.gradients.is_empty() {
            return f64::NAN;
        }
        let norms: Vec<_> = self.gradients.iter().map(Tensor::norm).collect();
        Tensor::stack(&norms, 0).norm().double_value(&[])
    }

    fn named_gradients(&self) -> impl Iterator<Item = (String, &Tensor)> {
        self.network
            .parameters()
            .into_iter()
            .map(|(name, _)| name)
            .zip(&self.gradients)
    }

    fn save(&self, tensors: &mut Vec<(String, Tensor)>) {
        let parameters = self.network.parameters();
        for ((name, tensor), (kinds, moments)) in parameters.iter().zip(self.optimizer.state()) {
            tensors.push((name.clone(), tensor.detach()));
            for (kind, moment) in kinds.iter().zip(moments) {
                tensors.push((format!("optimizer.{name}.{kind}"), moment.shallow_clone()));
            }
        }
        for (name, tensor) in self.network.buffers() {
            tensors.push((name, tensor.shallow_clone()));
        }
        let steps = self.optimizer.steps().shallow_clone();
        tensors.push((format!("optimizer.{}.step", self.network.name()), steps));
    }
}
