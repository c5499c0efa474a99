//! The task of translating between two domains without pairs.

use sparring_contract::config::{Config, LossWeights};
use sparring_contract::protocol::{Better, MetricKind, MetricSpec};
use tch::{Kind, Tensor};

use super::augment::Augment;
use super::conditions::{chosen_of, with_noise};
use super::loss::AdversarialLoss;
use super::metrics::adversarial_specs;
use super::models::PictureSpec;
use super::task::{GeneratorLoss, GeneratorTurn, Preview, StepOutcome, Task};
use crate::data::{Batch, Dataset, Degradation, domains, from_bytes, opposites, to_bytes, towards};

/// Pictures of one domain to pictures of the other, both ways: cycle consistency (Zhu et al. 2017, «Unpaired Image-to-Image
/// Translation using Cycle-Consistent Adversarial Networks»). As in `StarGAN` (Choi et al. 2018) one generator learns both
/// ways and is told which, and one discriminator is told which domain a picture should be of.
#[derive(Debug)]
pub struct Unpaired {
    /// Channels of a picture.
    channels: i64,
    latent_dim: i64,
    weights: LossWeights,
    loss: AdversarialLoss,
    augment: Augment,
}

impl Unpaired {
    /// The task of a configuration.
    pub fn new(config: &Config, spec: PictureSpec) -> Self {
        Self {
            channels: spec.shape[0],
            latent_dim: config.latent_dim.cast_signed(),
            weights: config.loss_weights,
            loss: AdversarialLoss::new(config),
            augment: Augment::new(config),
        }
    }

    /// The pictures that others are to be made from.
    fn sources(&self, input: &Tensor) -> Tensor {
        input.narrow(1, 0, self.channels)
    }

    /// The channel that says which domain pictures are to be made of.
    fn target(&self, input: &Tensor) -> Tensor {
        input.narrow(1, self.channels, 1)
    }

    /// The mean absolute difference between pictures and what comes back of them, when what the generator makes of them is
    /// translated again.
    fn there_and_back(&self, turn: &GeneratorTurn<'_>) -> Tensor {
        let domains = domains(turn.batch);
        let own = domains.index_select(0, &opposites(&domains));
        let back = with_noise(&towards(&own, turn.fake), self.latent_dim);
        let returned = (turn.generate)(&back);
        (returned - self.sources(turn.input))
            .abs()
            .mean(Kind::Float)
    }
}

impl Task for Unpaired {
    fn loss(&self) -> &AdversarialLoss {
        &self.loss
    }

    fn generator_input(&self, batch: &Batch) -> Tensor {
        with_noise(&Degradation::Unpaired.apply(batch), self.latent_dim)
    }

    fn classes<'a>(&self, _batch: &'a Batch) -> Option<&'a Tensor> {
        None
    }

    fn discriminator_input(&self, pictures: &Tensor, inputs: &Tensor, step: u64) -> Tensor {
        let both = Tensor::cat(&[&self.target(inputs), pictures], 1);
        self.augment.apply(&both, step)
    }

    fn variant(&self, step: u64) -> Option<u64> {
        (!self.augment.changes_at(step)).then_some(0)
    }

    fn generator_loss(&self, turn: &GeneratorTurn<'_>) -> GeneratorLoss {
        let LossWeights {
            adversarial, cycle, ..
        } = self.weights;
        let there_and_back = self.there_and_back(turn);
        GeneratorLoss {
            total: self.loss.generator(turn.logits) * adversarial + &there_and_back * cycle,
            terms: vec![there_and_back.detach()],
        }
    }

    /// Held-out pictures, if there are any of both domains, of both by turns and chosen by the seed, each to be made one of the
    /// other domain.
    fn preview(&self, seed: u64, count: i64, data: &Dataset) -> Preview {
        let places = |data: &Dataset| [0, 1].map(|domain| data.places_of(domain));
        let has_both = |data: &&Dataset| places(data).iter().all(|places| places.numel() > 0);
        let data = data.test().filter(has_both).unwrap_or(data);
        tch::manual_seed(seed.cast_signed());
        let each = (count + 1) / 2;
        let places = places(data);
        let distinct = places.iter().map(|places| 2 * places.numel() as i64).min();
        let chosen = places.map(|places| {
            let chosen = chosen_of(places.numel() as i64, each);
            places.index_select(0, &chosen.to_device(places.device()))
        });
        let chosen = Tensor::stack(&chosen, 1).view([-1]).narrow(0, 0, count);
        let batch = data.select(&chosen);
        let targets = 1 - domains(&batch);
        Preview {
            distinct: distinct.unwrap_or_default().min(count),
            input: with_noise(&towards(&targets, &batch.images), self.latent_dim),
            domains: Some(targets),
            classes: None,
            truth: None,
            missing: None,
        }
    }

    fn has_domains(&self) -> bool {
        true
    }

    /// The pictures, what was made of them, and what comes back.
    fn exhibit(
        &self,
        preview: &Preview,
        made: &Tensor,
        generate: &dyn Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let sources = self.sources(&preview.input);
        let made_again = from_bytes(made).to_device(sources.device());
        let back = Tensor::cat(&[&made_again, &-self.target(&preview.input)], 1);
        let back = generate(&with_noise(&back, self.latent_dim));
        let sources = to_bytes(&sources).to_device(made.device());
        Tensor::stack(&[&sources, made, &back], 1).flatten(0, 1)
    }

    fn parts(&self) -> &'static [&'static str] {
        Degradation::Unpaired.parts()
    }

    fn metric_specs(&self) -> Vec<MetricSpec> {
        let mut specs = adversarial_specs(&self.loss);
        specs.push(MetricSpec {
            better: Better::Lower,
            ..MetricSpec::new(
                "there_and_back",
                "there and back",
                MetricKind::Distance,
                "Mean absolute difference between the pictures of the batch and what comes back when they are translated to \
                 the other domain and back, where a pixel goes from 0 to 1.",
            )
        });
        specs
    }

    fn measure(&self, outcome: StepOutcome<'_>) -> Vec<Tensor> {
        let [d_real, d_fake] = self.loss.probabilities(&outcome.logits);
        let mut metrics = vec![outcome.d_loss, outcome.g_loss, d_real, d_fake];
        // Of pixels from -1 to 1.
        metrics.extend(outcome.terms.iter().map(|term| term * 0.5));
        metrics
    }
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, Setting, resolve};

    use tch::Device;

    use super::super::loss::Logits;
    use super::*;
    use crate::data::Images;

    fn task() -> Unpaired {
        let settings = ["task=translate", "translate.from=unpaired", "latent_dim=0"];
        let request = Request {
            preset: Some("pix2pix".to_owned()),
            settings: settings.map(|text| Setting::parse(text).unwrap()).to_vec(),
            ..Request::default()
        };
        let config = resolve(&request).unwrap().config;
        let spec = PictureSpec::new(&config, [1, 2, 2], &[]);
        Unpaired::new(&config, spec)
    }

    /// Four pictures of one brightness each, of the domains 0, 1, 1, 0.
    fn dataset() -> Dataset {
        let images = Images {
            count: 4,
            channels: 1,
            height: 2,
            width: 2,
            pixels: [0, 100, 200, 50].map(|brightness| [brightness; 4]).concat(),
        };
        Dataset::on(Device::Cpu, &images).with_classes(&[0, 1, 1, 0])
    }

    #[test]
    fn a_generator_that_changes_nothing_brings_everything_back() {
        let task = task();
        let batch = dataset().first(4);
        let input = task.generator_input(&batch);
        let sources = task.sources(&input);
        let logits = Logits {
            real: Tensor::new(),
            fake: Tensor::zeros([4, 1], (Kind::Float, Device::Cpu)),
        };
        let loss = |generate: &dyn Fn(&Tensor) -> Tensor| {
            let turn = GeneratorTurn {
                logits: &logits,
                fake: &sources,
                input: &input,
                batch: &batch,
                generate,
            };
            let loss = task.generator_loss(&turn);
            [loss.total, loss.terms[0].shallow_clone()].map(|loss| loss.double_value(&[]))
        };
        // A hinge generator whose fakes have logits of zero loses nothing.
        assert_eq!(loss(&|input| task.sources(input)), [0.0, 0.0]);
        // The way back asks for the domains that the sources are of.
        let _ = loss(&|input| {
            let asked: Vec<f32> = task.target(input).flatten(0, -1).try_into().unwrap();
            let there: Vec<f32> = task
                .target(&task.generator_input(&batch))
                .flatten(0, -1)
                .try_into()
                .unwrap();
            assert!(
                asked
                    .iter()
                    .zip(&there)
                    .all(|(back, there)| back == &-there)
            );
            task.sources(input)
        });
        // Black pictures, -1 everywhere, come back instead: 10 times the mean of 0, 100, 200 and 50 in 127.5.
        let [total, there_and_back] = loss(&|input| task.sources(input).full_like(-1.0));
        assert!((there_and_back - 350.0 / 4.0 / 127.5).abs() < 1e-6);
        assert!((total - 10.0 * there_and_back).abs() < 1e-5);
    }

    #[test]
    fn previews_ask_for_the_other_domain_and_show_what_comes_back() {
        let task = task();
        let preview = task.preview(3, 6, &dataset());
        let targets: Vec<f32> = task
            .target(&preview.input)
            .select(3, 0)
            .select(2, 0)
            .select(1, 0)
            .try_into()
            .unwrap();
        let sources = to_bytes(&task.sources(&preview.input));
        for (place, target) in targets.iter().enumerate() {
            let brightness = sources.int64_value(&[place as i64, 0, 0, 0]);
            let own = if [100, 200].contains(&brightness) {
                1.0
            } else {
                -1.0
            };
            assert!((target + own).abs() < 1e-6, "{brightness} to {target}");
        }
        let made = sources.full_like(7);
        let shown = task.exhibit(&preview, &made, &|input| {
            assert_eq!(task.target(input), -task.target(&preview.input));
            to_bytes(&task.sources(input)) + 1
        });
        let first: Vec<i64> = (0..3)
            .map(|part| shown.int64_value(&[part, 0, 0, 0]))
            .collect();
        assert_eq!(first, [sources.int64_value(&[0, 0, 0, 0]), 7, 8]);
    }
}
