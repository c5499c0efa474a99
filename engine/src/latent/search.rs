//! The noise whose pictures come closest to given ones.

use tch::{Kind, Tensor};

use super::space::LatentSpace;
use crate::data::from_bytes;
use crate::eval::chunks;
use crate::native::{AdamStep, AdamTensors, adam, no_grad};
use crate::nn::Network;

/// Samples among which the search begins.
pub const SAMPLES: i64 = 10_000;

/// The search begins at so many of them, the nearest ones, and takes the best result.
const STARTS: i64 = 4;

/// Steps of Adam, and the size of the first; it falls to zero along a half cosine.
const STEPS: u32 = 300;
const LEARNING_RATE: f64 = 0.05;

/// Pictures that are searched for at once.
const AT_ONCE: i64 = 250;

/// Steps after which a place on the way is kept.
const KEPT: [u32; 3] = [10, 30, 100];

/// Weight of the discriminator's doubt (Yeh et al. 2017 take 0.003 beside a sum over pixels; ours is a mean).
const DOUBT: f64 = 0.003;

/// Half the side of the square around a known pixel in which missing pixels count (Yeh et al. 2017: 7×7).
const AROUND: i64 = 3;

/// What is searched for.
#[derive(Debug)]
pub struct Query<'a> {
    /// Pictures `[n, channels, h, w]` in [-1, 1], on the generator's device.
    pub pictures: &'a Tensor,
    /// `[n, 1, h, w]`: 1 where a pixel is missing, and not to be compared.
    pub missing: Option<&'a Tensor>,
    /// The class to search in; all if none is given.
    pub class: Option<i64>,
    /// Seed of the samples.
    pub seed: u64,
}

/// What keeps results of a repair near what the generator makes for the discriminator.
#[derive(Debug)]
pub struct Critic {
    /// A trained discriminator.
    pub discriminator: Network,
    /// How much its input is sharpened, as in training.
    pub sharpening: f64,
}

/// What was found; one place for each picture.
#[derive(Debug)]
pub struct Found {
    /// `[n, latent_dim]`
    pub noise: Tensor,
    /// `[n]`, i64, for a conditional generator.
    pub classes: Option<Tensor>,
    /// The nearest sample, `[n, latent_dim]`.
    pub nearest: Tensor,
    /// Its class, `[n]`, i64.
    pub nearest_classes: Option<Tensor>,
    /// Places on the way from the start that led to the result, after 10, 30 and 100 of 300 steps, `[n, latent_dim]` each.
    pub way: Vec<Tensor>,
}

/// Finds the noise whose pictures come closest. `progress` is told how many of the pictures are done.
///
/// Without missing pixels it is the mean squared difference that is made small. With some, it is the loss of Yeh et al.
/// 2017, «Semantic Image Inpainting with Deep Generative Models», section 3.2: the absolute difference of known pixels, each
/// with the share of missing pixels around it as its weight, and the discriminator's doubt.
pub fn search(
    space: &LatentSpace,
    query: &Query<'_>,
    critic: Option<&Critic>,
    progress: &mut dyn FnMut(u64),
) -> Found {
    let samples = Samples::draw(space, query.seed, query.class);
    let count = query.pictures.size()[0];
    let parts: Vec<_> = chunks(count, AT_ONCE)
        .map(|(first, length)| {
            let part = |whole: &Tensor| whole.narrow(0, first, length);
            let target = Target::new(&part(query.pictures), query.missing.map(part).as_ref());
            let found = search_part(space, &samples, &target, critic);
            progress((first + length).unsigned_abs());
            found
        })
        .collect();
    let together = |of: fn(&Found) -> &Tensor| {
        let all: Vec<_> = parts.iter().map(of).collect();
        Tensor::cat(&all, 0)
    };
    let classes = |of: fn(&Found) -> &Option<Tensor>| {
        let all: Option<Vec<_>> = parts.iter().map(|part| of(part).as_ref()).collect();
        all.map(|all| Tensor::cat(&all, 0))
    };
    let way = (0..KEPT.len()).map(|index| {
        let all: Vec<_> = parts.iter().map(|part| &part.way[index]).collect();
        Tensor::cat(&all, 0)
    });
    Found {
        noise: together(|found| &found.noise),
        nearest: together(|found| &found.nearest),
        classes: classes(|found| &found.classes),
        nearest_classes: classes(|found| &found.nearest_classes),
        way: way.collect(),
    }
}

/// Pictures among which the search begins.
struct Samples {
    noise: Tensor,
    classes: Option<Tensor>,
    /// `[n, channels · h · w]` in [-1, 1].
    pixels: Tensor,
}

impl Samples {
    fn draw(space: &LatentSpace, seed: u64, class: Option<i64>) -> Self {
        let (noise, in_turn) = space.sample(seed, SAMPLES);
        let classes = in_turn.map(|classes| match class {
            Some(class) => classes.full_like(class),
            None => classes,
        });
        let pixels = from_bytes(&space.pixels(&noise, classes.as_ref()));
        let on_device = |tensor: &Tensor| tensor.to_device(space.device());
        Self {
            pixels: on_device(&pixels.flatten(1, -1)),
            classes: classes.as_ref().map(on_device),
            noise: on_device(&noise),
        }
    }
}

/// Pictures to come close to.
struct Target {
    /// `[n, channels, h, w]`
    pictures: Tensor,
    /// How much each pixel counts, `[n, 1, h, w]`; all the same if nothing is missing.
    weights: Option<Tensor>,
}

impl Target {
    fn new(pictures: &Tensor, missing: Option<&Tensor>) -> Self {
        let side = 2 * AROUND + 1;
        let weights = missing.map(|missing| {
            let share =
                missing.avg_pool2d([side; 2], [1, 1], [AROUND; 2], false, true, None::<i64>);
            share * (missing.ones_like() - missing)
        });
        Self {
            pictures: pictures.shallow_clone(),
            weights,
        }
    }

    /// The same with each picture as often as the search begins.
    fn repeated(&self) -> Self {
        let repeated = |of: &Tensor| of.repeat_interleave_self_int(STARTS, 0, None);
        Self {
            pictures: repeated(&self.pictures),
            weights: self.weights.as_ref().map(repeated),
        }
    }

    /// How far pictures are from it, `[n]`.
    fn distance(&self, pictures: &Tensor) -> Tensor {
        let apart = pictures - &self.pictures;
        let apart = match &self.weights {
            Some(weights) => apart.abs() * weights,
            None => apart.square(),
        };
        apart.mean_dim([1, 2, 3].as_slice(), false, Kind::Float)
    }

    /// The squared distance of every sample from every picture, at the pixels that are known: `[n, samples]`.
    fn squared_distances(&self, samples: &Tensor) -> Tensor {
        let size = self.pictures.size();
        let known = match &self.weights {
            Some(weights) => weights.gt(0.0).to_kind(Kind::Float),
            None => Tensor::ones(
                [size[0], 1, size[2], size[3]],
                (Kind::Float, samples.device()),
            ),
        };
        let known = known.expand_as(&self.pictures).flatten(1, -1);
        let pictures = self.pictures.flatten(1, -1) * &known;
        known.mm(&samples.square().tr()) - pictures.mm(&samples.tr()) * 2.0
    }
}

fn search_part(
    space: &LatentSpace,
    samples: &Samples,
    target: &Target,
    critic: Option<&Critic>,
) -> Found {
    let count = target.pictures.size()[0];
    let (_, nearest) = no_grad(|| {
        target
            .squared_distances(&samples.pixels)
            .topk(STARTS, 1, false, true)
    });
    let starts = nearest.flatten(0, -1);
    let classes = samples
        .classes
        .as_ref()
        .map(|classes| classes.index_select(0, &starts));
    let noise = samples
        .noise
        .index_select(0, &starts)
        .set_requires_grad(true);
    let repeated = target.repeated();
    let way = descend(&noise, |noise| {
        let pictures = space.generate(noise, classes.as_ref());
        let distance = repeated.distance(&pictures).sum(Kind::Float);
        match critic {
            Some(critic) => distance + critic.doubt(&pictures, classes.as_ref()) * DOUBT,
            None => distance,
        }
    });
    no_grad(|| {
        let made = space.generate(&noise, classes.as_ref());
        let best = repeated
            .distance(&made)
            .view([count, STARTS])
            .argmin(1, false);
        let first = Tensor::arange(count, (Kind::Int64, best.device())) * STARTS;
        let best = best + &first;
        let at_best = |of: &Tensor| of.index_select(0, &best);
        let at_first = |of: &Tensor| of.index_select(0, &first);
        Found {
            noise: at_best(&noise.detach()),
            nearest: at_first(&samples.noise.index_select(0, &starts)),
            classes: classes.as_ref().map(at_best),
            nearest_classes: classes.as_ref().map(at_first),
            way: way.iter().map(at_best).collect(),
        }
    })
}

impl Critic {
    /// How little it takes pictures for real, summed: what a generator's non-saturating loss is.
    fn doubt(&self, pictures: &Tensor, classes: Option<&Tensor>) -> Tensor {
        let seen = crate::native::sharpened(pictures, self.sharpening);
        let logits = self.discriminator.evaluate(&seen, classes);
        (-logits).softplus().sum(Kind::Float)
    }
}

/// Adam, on a sum of losses that do not depend on each other. Returns the places of [`KEPT`].
fn descend(noise: &Tensor, loss: impl Fn(&Tensor) -> Tensor) -> Vec<Tensor> {
    let filled = |value: f64| Tensor::full([], value, (Kind::Float, noise.device()));
    let (step, rate) = (filled(0.0), filled(0.0));
    let (fault, scale) = (filled(0.0), filled(1.0));
    let moments = [[noise.zeros_like()], [noise.zeros_like()]];
    let mut way = Vec::new();
    for number in 0..STEPS {
        let gradients = Tensor::run_backward(&[loss(noise)], &[noise], false, false);
        let progress = f64::from(number) / f64::from(STEPS);
        let learning_rate = LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        let _ = step.shallow_clone().fill_(f64::from(number + 1));
        let _ = rate.shallow_clone().fill_(learning_rate);
        let tensors = AdamTensors {
            parameters: &[noise.shallow_clone()],
            exp_avgs: &moments[0],
            exp_avg_sqs: &moments[1],
            averages: &[],
            step: &step,
            fault: &fault,
            learning_rate: &rate,
            scale: &scale,
        };
        let numbers = AdamStep {
            learning_rate,
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            average_rate: 0.0,
        };
        no_grad(|| adam(tensors, &gradients, numbers));
        if KEPT.contains(&(number + 1)) {
            way.push(noise.detach().copy());
        }
    }
    way
}
