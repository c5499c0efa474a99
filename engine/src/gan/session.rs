//! Adversarial training in progress: two networks, their optimisers and the data, one step at a time.

mod fault;
mod inspect;
mod read;
mod recordable;
mod recorded;

use sparring_contract::config::Config;
use sparring_contract::protocol::{MetricSpec, Metrics};
use tch::{Device, Kind, Tensor};

use super::generate::Generate;
use super::image_to_image::ImageToImage;
use super::loss::Logits;
use super::metrics::{MetricAccumulator, gradient_norm_specs};
use super::models::{PictureSpec, discriminator, generator};
use super::penalty::GradientPenalty;
use super::sampler::to_pixels;
use super::task::{GeneratorLoss, GeneratorTurn, Preview, StepOutcome, Task};
use super::unpaired::Unpaired;
use crate::data::{Batch, DataLoader, Dataset, Degradation};
use crate::native::no_grad;
use crate::nn::{Ema, Network, StateDict, StateDictError};
use crate::optim::{LearningRateSchedule, NetworkOptimizer, Precision};
use crate::seed::{Stream, derive};

use read::read;
use recorded::{RecordedSteps, learn_now};

pub use fault::Fault;
pub use inspect::Inspection;

/// A generator and a discriminator that train against each other. The caller drives: one call of [`Session::step`] is
/// one step, and between two steps the session can be sampled, saved or left alone for an hour.
#[derive(Debug)]
pub struct Session {
    task: Box<dyn Task>,
    loader: DataLoader,
    seed: u64,
    /// Seeds the steps: `seed` itself, or in a further attempt another.
    step_seed: u64,
    generator: NetworkOptimizer,
    discriminator: NetworkOptimizer,
    /// Times that the generator learns per step.
    generator_steps: u64,
    penalty: GradientPenalty,
    precision: Precision,
    schedule: LearningRateSchedule,
    ema: Option<Ema>,
    /// On a CUDA device: steps that were recorded, to be made by one call.
    recorded: Option<RecordedSteps>,
    accumulator: MetricAccumulator,
    /// Losses of the latest step: the discriminator's and the generator's.
    losses: Option<[Tensor; 2]>,
    steps: u64,
}

impl Session {
    /// Builds both networks for the images of `data`, on its device. The configuration must fit the data
    /// ([`super::check_compatibility`]).
    pub fn new(config: &Config, data: Dataset) -> Self {
        let device = data.device();
        let spec = PictureSpec::new(config, data.shape(), data.class_names());
        let task: Box<dyn Task> = match spec.degradation {
            None => Box::new(Generate::new(config, spec)),
            Some(Degradation::Unpaired) => Box::new(Unpaired::new(config, spec)),
            Some(degradation) => Box::new(ImageToImage::new(config, spec, degradation)),
        };
        // The average starts from the same weights, because it is drawn from the same seed.
        let ema = (config.ema_decay > 0.0)
            .then(|| Ema::new(generator(config, spec, device), config.ema_decay));
        let optimizer = |network, plan: &sparring_contract::config::Network| {
            NetworkOptimizer::new(network, plan.learning_rate, plan.betas)
        };
        Self {
            loader: DataLoader::new(
                data,
                config.batch_size,
                config.discriminator_steps,
                config.seed,
            )
            .with_flips(config.augment.flip),
            seed: config.seed,
            step_seed: config.seed,
            generator: optimizer(generator(config, spec, device), &config.generator),
            discriminator: optimizer(discriminator(config, spec, device), &config.discriminator),
            generator_steps: config.generator_steps,
            penalty: GradientPenalty::new(&config.penalty),
            precision: Precision::new(config, device),
            schedule: LearningRateSchedule::new(config),
            ema,
            recorded: RecordedSteps::are_wanted(config, device).then(RecordedSteps::default),
            accumulator: MetricAccumulator::new(task.metric_specs().len(), device),
            losses: None,
            steps: 0,
            task,
        }
    }

    /// One step: the discriminator learns to tell real from fake, then the generator learns to fool it with the same
    /// fakes (Goodfellow et al. 2014, algorithm 1 with k = `discriminator_steps`).
    ///
    /// Everything random is drawn from (seed, step), so a restored session makes the steps that it would have made.
    pub fn step(&mut self) {
        self.schedule_learning_rates();
        self.precision.step(|| match self.recorded.take() {
            Some(mut recorded) => {
                recorded.step(self);
                self.recorded = Some(recorded);
            }
            None => learn_now(self),
        });
        self.finish_step();
    }

    /// Both networks learn from the batches of a step. All of it is done by the device, on numbers that it has: a step can
    /// be recorded once and made again.
    fn learn_from(&mut self, batches: &[Batch]) {
        let Some((last, ahead)) = batches.split_last() else {
            return;
        };
        for batch in ahead {
            // With k > 1 the discriminator learns ahead, from fakes that the generator does not learn from.
            let input = self.task.generator_input(batch);
            let fake = no_grad(|| self.generate(&input, batch));
            let _ = self.train_discriminator(batch, &input, &fake);
        }
        let input = self.task.generator_input(last); // [batch, latent_dim]
        self.train_both(last, &input);
        for _ in 1..self.generator_steps {
            let input = self.task.generator_input(last);
            let fake = self.generate(&input, last);
            let _ = self.train_generator(last, &input, &fake);
        }
    }

    /// [`Session::step`] on a given batch and generator input, in which each network learns once.
    pub fn step_on(&mut self, batch: &Batch, input: &Tensor) {
        self.schedule_learning_rates();
        self.precision.step(|| self.train_both(batch, input));
        self.finish_step();
    }

    fn finish_step(&mut self) {
        if let Some(ema) = self.ema.as_ref().filter(|_| self.average_follows()) {
            ema.follow(self.generator.network(), self.steps);
        }
        self.accumulator.count_step();
        self.steps += 1;
    }

    /// Whether the generator's average moves after a step, and not in the optimiser's pass: a step that is recorded needs it
    /// so, because how far it moves depends on the step.
    fn average_follows(&self) -> bool {
        self.device().is_cuda() && self.generator_steps == 1
    }

    /// Why steps are started one operation at a time although they were to be recorded; once.
    pub fn take_recording_failure(&mut self) -> Option<String> {
        self.recorded.as_mut()?.take_failure()
    }

    fn schedule_learning_rates(&mut self) {
        let factor = self.schedule.factor(self.steps);
        self.generator.schedule(factor);
        self.discriminator.schedule(factor);
    }

    /// Trains each network once, on the same fakes.
    fn train_both(&mut self, batch: &Batch, input: &Tensor) {
        let fake = self.generate(input, batch); // [batch, channels, height, width] in [-1, 1]

        let (d_loss, logits) = self.train_discriminator(batch, input, &fake.detach());
        let GeneratorLoss {
            total: g_loss,
            terms,
        } = self.train_generator(batch, input, &fake);

        self.losses = Some([d_loss.shallow_clone(), g_loss.shallow_clone()]);
        let metrics = self.task.measure(StepOutcome {
            d_loss,
            g_loss,
            terms,
            logits,
            fake: fake.detach(),
            input,
            batch,
        });
        self.accumulator.add(&metrics);
    }

    /// Trains the discriminator to tell real images from fakes. Returns its loss and its logits before the update.
    fn train_discriminator(
        &mut self,
        batch: &Batch,
        input: &Tensor,
        fake: &Tensor,
    ) -> (Tensor, Logits) {
        let [real, fake] = [&batch.images, fake]
            .map(|pictures| self.task.discriminator_input(pictures, input, self.steps));
        let classes = self.task.classes(batch);
        // One pass for both: no layer of a discriminator mixes the images of a batch, so the logits are those of two
        // passes.
        let both = Tensor::cat(&[&real, &fake], 0);
        let classes_of_both = classes.map(|classes| Tensor::cat(&[classes, classes], 0));
        let (reals, fakes) = (real.size()[0], fake.size()[0]);
        let (loss, logits) = self.precision.forward(|| {
            let discriminate = |pictures: &Tensor, classes: Option<&Tensor>| {
                self.discriminator.network().forward(pictures, classes)
            };
            let of_both = discriminate(&both, classes_of_both.as_ref());
            let [real_logits, fake_logits] = halves(&of_both, [reals, fakes]);
            let logits = Logits {
                real: real_logits,
                fake: fake_logits,
            };
            let mut loss = self.task.loss().discriminator(&logits);
            if self.penalty.is_due(self.steps) {
                let logits = |pictures: &Tensor| discriminate(pictures, classes);
                loss += self.penalty.compute(&real, &fake, logits);
            }
            (loss, logits)
        });
        self.discriminator.minimize(&loss, None, self.steps);
        (loss.detach(), logits)
    }

    /// Trains the generator to fool the discriminator with the fakes that it made of this input, and updates its average.
    /// Returns its loss, without gradients.
    fn train_generator(&mut self, batch: &Batch, input: &Tensor, fake: &Tensor) -> GeneratorLoss {
        let classes = self.task.classes(batch);
        let discriminate = |pictures: &Tensor| {
            let seen = self.task.discriminator_input(pictures, input, self.steps);
            self.discriminator.network().forward(&seen, classes)
        };
        let loss = self.precision.forward(|| {
            let on_fake = discriminate(fake);
            let on_real = if self.task.loss().generator_needs_real() {
                no_grad(|| discriminate(&batch.images))
            } else {
                Tensor::new()
            };
            let logits = Logits {
                real: on_real,
                fake: on_fake,
            };
            self.task.generator_loss(&GeneratorTurn {
                logits: &logits,
                fake,
                input,
                batch,
                generate: &|input| self.generate(input, batch),
            })
        });
        let average = self.ema.as_ref().filter(|_| !self.average_follows());
        self.generator.minimize(&loss.total, average, self.steps);
        GeneratorLoss {
            total: loss.total.detach(),
            ..loss
        }
    }

    fn generate(&self, input: &Tensor, batch: &Batch) -> Tensor {
        let classes = self.task.classes(batch);
        self.precision
            .forward(|| self.generator.network().forward(input, classes))
    }

    /// What the metrics of [`Session::metrics`] are, in the same order.
    pub fn metric_specs(&self) -> Vec<MetricSpec> {
        let mut specs = self.task.metric_specs();
        specs.extend(gradient_norm_specs());
        specs
    }

    /// The metrics: means over the steps since the last call, and the gradient norms of the latest step. NaN if there
    /// was no step. Waits for the device, once.
    pub fn metrics(&mut self) -> Metrics {
        let specs = self.metric_specs().into_iter().map(|spec| spec.key);
        let norms = self.optimizers().map(NetworkOptimizer::gradient_norm);
        let [Some(d_norm), Some(g_norm)] = norms else {
            return specs.map(|key| (key, f64::NAN)).collect();
        };
        let (sums, steps) = self.accumulator.sums();
        let scalars: Vec<_> = sums.iter().chain([&d_norm, &g_norm]).collect();
        let mut values = read(&scalars);
        for sum in values.iter_mut().take(sums.len()) {
            *sum /= steps as f64;
        }
        self.accumulator.reset();
        specs.zip(values).collect()
    }

    /// Draws other images and noise from here on than earlier attempts did; the first attempt has the number 0.
    pub fn set_attempt(&mut self, attempt: u64) {
        self.step_seed = match attempt {
            0 => self.seed,
            _ => derive(self.seed, Stream::Attempt, attempt),
        };
        self.loader.reseed(self.step_seed);
    }

    /// `count` pictures for a seed, `[count, channels, height, width]`, u8, drawn by the average if there is one.
    pub fn sample(&self, seed: u64, count: i64) -> Tensor {
        let preview = self.preview(seed, count);
        self.sample_from(&preview.input, preview.classes.as_ref())
    }

    /// `count` previews for a seed as they are shown: of each the pictures of [`Session::parts`], u8.
    pub fn exhibit(&self, seed: u64, count: i64) -> Tensor {
        let preview = self.preview(seed, count);
        let made = self.sample_from(&preview.input, preview.classes.as_ref());
        let generate = |input: &Tensor| self.sample_from(input, None);
        no_grad(|| self.task.exhibit(&preview, &made, &generate))
    }

    /// What the pictures of one preview are, a word each; empty if there is only one.
    pub fn parts(&self) -> &'static [&'static str] {
        self.task.parts()
    }

    /// Whether a class is a domain, and pictures of one are made from those of another.
    pub fn has_domains(&self) -> bool {
        self.task.has_domains()
    }

    /// `count` previews for a seed: what they are made from, and what is to come out.
    pub fn preview(&self, seed: u64, count: i64) -> Preview {
        no_grad(|| self.task.preview(seed, count, self.loader.data()))
    }

    /// As [`Session::sample`], but all of one class, which the networks must know.
    pub fn sample_class(&self, seed: u64, count: i64, class: u32) -> Tensor {
        let input = self.preview(seed, count).input;
        let classes = Tensor::full([count], i64::from(class), (Kind::Int64, Device::Cpu));
        self.sample_from(&input, Some(&classes))
    }

    /// `count` previews, as [`Session::exhibit`] shows them, from inputs that stay the same for the whole run.
    pub fn sample_fixed(&self, count: i64) -> Tensor {
        self.exhibit(derive(self.seed, Stream::Fixed, 0), count)
    }

    /// The classes of the pictures of [`Session::sample`], in their order; empty if the networks are unconditional.
    pub fn sample_labels(&self, count: i64) -> Vec<u32> {
        let classes = self.preview(self.seed, count).classes;
        let labels = classes.and_then(|classes| Vec::<i64>::try_from(classes).ok());
        let labels = labels.unwrap_or_default().into_iter();
        labels.filter_map(|label| label.try_into().ok()).collect()
    }

    /// Pictures for these generator inputs, and classes if the generator is conditional.
    pub fn sample_from(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        to_pixels(self.drawing_generator(), input, classes)
    }

    /// Copies the weights of the generator that draws pictures, or of its average if there is one, into another of the same
    /// configuration, on any device.
    pub fn copy_generator(&self, into: &Network) {
        let own = self.drawing_generator().state_tensors();
        no_grad(|| {
            for (mut to, from) in into.state_tensors().into_iter().zip(own) {
                to.copy_(&from);
            }
        });
    }

    fn drawing_generator(&self) -> &Network {
        self.ema
            .as_ref()
            .map_or(self.generator.network(), Ema::network)
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
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }

    /// The device that everything is on.
    pub fn device(&self) -> Device {
        self.loader.data().device()
    }

    /// Changes Adam's step sizes, before the schedule, from the next step on.
    pub fn set_learning_rates(&mut self, generator: f64, discriminator: f64) {
        self.generator.set_learning_rate(generator);
        self.discriminator.set_learning_rate(discriminator);
    }

    /// Trained scalars of the generator and of the discriminator.
    pub fn num_parameters(&self) -> (u64, u64) {
        let [generator, discriminator] = self.optimizers().map(NetworkOptimizer::network);
        (generator.num_parameters(), discriminator.num_parameters())
    }

    /// Gradients of the latest step, by the names of the parameters.
    pub fn gradients(&self) -> Vec<(String, &Tensor)> {
        let optimizers = self.optimizers().into_iter();
        optimizers.flat_map(NetworkOptimizer::gradients).collect()
    }

    /// Everything that the next step depends on, beside the configuration. The tensors share the session's memory.
    pub fn state_dict(&self) -> StateDict {
        let optimizers = self.optimizers().into_iter();
        let mut tensors: Vec<_> = optimizers.flat_map(NetworkOptimizer::state).collect();
        tensors.extend(self.ema.iter().flat_map(Ema::named_tensors));
        StateDict {
            steps: self.steps,
            tensors,
        }
    }

    /// Goes back, or forward, to the state of a session of the same configuration. A state that does not fit changes
    /// nothing.
    pub fn load_state_dict(&mut self, state: &StateDict) -> Result<(), StateDictError> {
        let own = self.state_dict();
        for (name, tensor) in &own.tensors {
            state.get(name, &tensor.size())?;
        }
        no_grad(|| -> Result<(), StateDictError> {
            for (name, mut tensor) in own.tensors {
                tensor.copy_(state.get(&name, &tensor.size())?);
            }
            Ok(())
        })?;
        self.steps = state.steps;
        self.accumulator.reset();
        self.losses = None;
        self.generator.clear_fault();
        self.discriminator.clear_fault();
        Ok(())
    }

    fn optimizers(&self) -> [&NetworkOptimizer; 2] {
        [&self.generator, &self.discriminator]
    }
}

/// The first rows of a tensor, and the rest: of their gradients that of the whole is made at once.
fn halves(whole: &Tensor, rows: [i64; 2]) -> [Tensor; 2] {
    let mut parts = whole.split_with_sizes(rows, 0).into_iter();
    // There are as many parts as were asked for.
    [(); 2].map(|()| parts.next().unwrap_or_default())
}
