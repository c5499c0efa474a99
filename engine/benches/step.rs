//! The speed of a step, and of its parts: what `benches/step.py` holds against other programs.
//!
//! `step measure` times whole steps, as the worker makes them; `step bound` times the matrix products of a step alone,
//! and Adam's pass alone, in the same run. Each prints one line of JSON.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use sparring_contract::config::{
    self, Architecture, Config, Normalization, Request, Setting, resolve,
};
use sparring_engine::data::{DataBundle, DataLoader, Dataset};
use sparring_engine::device::choose_for;
use sparring_engine::gan::{
    AdversarialLoss, Logits, PictureSpec, Session, check_compatibility, discriminator, generator,
};
use sparring_engine::nn::Network;
use sparring_engine::optim::Adam;
use sparring_engine::seed::{Stream, reseed};
use sparring_engine::{native, worker};
use tch::{Device, Kind, Tensor};

/// Turns of what is measured against each other in one process.
const TURNS: u64 = 5;

struct Options {
    config: Config,
    /// Steps before the clock starts, and those it is started for.
    warmup: u64,
    steps: u64,
}

fn main() -> anyhow::Result<()> {
    worker::prepare_environment();
    // `cargo bench` adds a flag of its own.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let task = words.next().unwrap_or_else(|| "measure".to_owned());
    let options = options(words)?;
    match task.as_str() {
        "measure" => measure(&options),
        "bound" => bound(&options),
        other => bail!("no task {other}: measure or bound"),
    }
}

fn options(words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut settings = Vec::new();
    let mut numbers = HashMap::from([("--warmup", 50), ("--steps", 400), ("--skip", 0)]);
    let mut preset = "tutorial".to_owned();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--set" => settings.push(Setting::parse(&value)?),
            "--threads" => settings.push(Setting::parse(&format!("threads={value}"))?),
            "--preset" => preset = value,
            other => match numbers.get_mut(other) {
                Some(number) => {
                    *number = value.parse().with_context(|| format!("{other} {value}"))?;
                }
                None => bail!("no option {other}"),
            },
        }
    }
    let request = Request {
        preset: Some(preset),
        settings,
        ..Request::default()
    };
    let mut config = resolve(&request)?.config;
    if config.threads == 0 {
        config.threads = std::thread::available_parallelism()?.get().try_into()?;
    }
    Ok(Options {
        config,
        warmup: numbers["--warmup"] + numbers["--skip"],
        steps: numbers["--steps"],
    })
}

fn measure(options: &Options) -> anyhow::Result<()> {
    let config = &options.config;
    native::prepare(config.threads);
    let device = choose_for(config)?.device;
    let bundle = DataBundle::load(&config.data_source(), &mut |_| {})?;
    let mut data = Dataset::on(device, &bundle.train.images);
    if let Some(labels) = bundle.train.labels.filter(|_| config.conditional) {
        data = data
            .with_classes(&labels)
            .with_class_names(bundle.class_names);
    }
    check_compatibility(config, &data)?;
    let mut session = Session::new(config, data);
    for _ in 0..options.warmup {
        session.step();
    }
    // Reading the metrics waits for the device, before the first timed step and after the last.
    session.metrics();
    let start = Instant::now();
    for _ in 0..options.steps {
        session.step();
    }
    let metrics = session.metrics();
    let seconds = start.elapsed().as_secs_f64();
    let images = options.steps as f64 * config.batch_size as f64;
    println!(
        "{}",
        json!({
            "program": "sparring",
            "preset": config.preset,
            "batch": config.batch_size,
            "threads": config.threads,
            "images_per_s": (images / seconds).round(),
            "ms_per_step": seconds / options.steps as f64 * 1e3,
            "peak_rss_mb": peak_memory(),
            "d_loss": metrics.get("d_loss"),
        })
    );
    Ok(())
}

/// One matrix product of a step: `left` times `right` into `out`.
struct Product {
    left: Tensor,
    right: Tensor,
    out: Tensor,
}

impl Product {
    fn flop(&self) -> i64 {
        2 * self.left.numel() as i64 * self.right.size()[1]
    }
}

/// The products that a layer of weights `[out, in]` needs for `n` images, by what they are for.
fn forward(weight: &Tensor, n: i64) -> Product {
    let [outputs, inputs] = sizes(weight);
    product(&random(n, inputs), &random(outputs, inputs).tr())
}

fn for_weights(weight: &Tensor, n: i64) -> Product {
    let [outputs, inputs] = sizes(weight);
    product(&random(n, outputs).tr(), &random(n, inputs))
}

fn for_input(weight: &Tensor, n: i64) -> Product {
    let [outputs, inputs] = sizes(weight);
    product(&random(n, outputs), &random(outputs, inputs))
}

fn product(left: &Tensor, right: &Tensor) -> Product {
    Product {
        left: left.shallow_clone(),
        right: right.shallow_clone(),
        out: left.mm(right),
    }
}

fn random(rows: i64, columns: i64) -> Tensor {
    Tensor::randn([rows, columns], (Kind::Float, Device::Cpu))
}

fn sizes(weight: &Tensor) -> [i64; 2] {
    let size = weight.size();
    [size[0], size[1]]
}

/// Weights of a network's layers, `[out, in]` each.
fn weights(network: &Network) -> Vec<Tensor> {
    let parameters = network.parameter_tensors().into_iter();
    parameters.filter(|tensor| tensor.dim() == 2).collect()
}

/// Milliseconds of each part of a step, added up over many.
#[derive(Default)]
struct Stopwatch {
    parts: Vec<(&'static str, f64)>,
}

impl Stopwatch {
    fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        let spent = start.elapsed().as_secs_f64() * 1e3;
        match self.parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += spent,
            None => self.parts.push((name, spent)),
        }
        result
    }
}

/// The two networks of a configuration, on the CPU.
struct Networks {
    generator: Network,
    discriminator: Network,
}

impl Networks {
    fn new(config: &Config, data: &Dataset) -> Self {
        let spec = PictureSpec::new(config, data.shape(), data.class_names());
        Self {
            generator: generator(config, spec, Device::Cpu),
            discriminator: discriminator(config, spec, Device::Cpu),
        }
    }

    /// The matrix products of a step on `n` real images, in its order, without those that nobody needs.
    fn products(&self, n: i64) -> Vec<Product> {
        let (g, d) = (weights(&self.generator), weights(&self.discriminator));
        let mut products: Vec<Product> = Vec::new();
        products.extend(g.iter().map(|w| forward(w, n)));
        products.extend(d.iter().map(|w| forward(w, 2 * n)));
        products.extend(d.iter().rev().map(|w| for_weights(w, 2 * n)));
        products.extend(d.iter().skip(1).rev().map(|w| for_input(w, 2 * n)));
        products.extend(d.iter().map(|w| forward(w, n)));
        products.extend(d.iter().rev().map(|w| for_input(w, n)));
        products.extend(g.iter().rev().map(|w| for_weights(w, n)));
        products.extend(g.iter().skip(1).rev().map(|w| for_input(w, n)));
        products
    }
}

/// Times a step, the matrix products of a step alone, by libtorch and by the team, Adam's pass alone, and the parts of a
/// step: networks of dense layers on the CPU. The bound is of the quicker products.
fn bound(options: &Options) -> anyhow::Result<()> {
    let config = &options.config;
    for (name, plan) in [
        ("generator", &config.generator),
        ("discriminator", &config.discriminator),
    ] {
        let plain = plan.architecture == Architecture::Mlp
            && plan.normalization == Normalization::Off
            && plan.dropout == 0.0;
        if !plain {
            bail!(
                "the bound is that of dense layers alone, and the {name} of preset {} has others: use `step measure`",
                config.preset
            );
        }
    }
    let images = DataBundle::load(&config.data_source(), &mut |_| {})?
        .train
        .images;
    let data = Dataset::on(Device::Cpu, &images);
    let networks = Networks::new(config, &data);
    let mut products = networks.products(config.batch_size as i64);
    let flop: i64 = products.iter().map(Product::flop).sum();
    // The products as libtorch makes them with threads of its own: before there is a team, which does without those.
    tch::set_num_threads(i32::try_from(config.threads)?);
    let libtorch_ms = mean_ms(options, || {
        for product in &mut products {
            let _ = product.left.f_mm_out(&product.out, &product.right);
        }
    });

    native::prepare(config.threads);
    let mut optimizers = [
        (&networks.generator, &config.generator),
        (&networks.discriminator, &config.discriminator),
    ]
    .map(|(network, plan)| {
        let adam = Adam::new(network.parameter_tensors(), plan.learning_rate, plan.betas);
        let gradients: Vec<_> = adam.parameters().iter().map(Tensor::randn_like).collect();
        (adam, gradients)
    });
    let mut session = Session::new(config, Dataset::on(Device::Cpu, &images));
    // In turns, so that a machine which slows down slows all three.
    let mut turns: [Vec<f64>; 3] = Default::default();
    for _ in 0..TURNS {
        turns[0].push(mean_ms(options, || session.step()));
        turns[1].push(native::no_grad(|| {
            mean_ms(options, || {
                for product in &mut products {
                    product.out = native::matmul(&product.left, &product.right);
                }
            })
        }));
        turns[2].push(mean_ms(options, || {
            for (adam, gradients) in &mut optimizers {
                adam.step(gradients);
            }
        }));
    }
    let [step_ms, team_ms, adam_ms] = turns.map(median);
    drop((products, optimizers, session));
    let products_ms = libtorch_ms.min(team_ms);
    let bound_ms = products_ms + adam_ms;
    println!(
        "{}",
        json!({
            "program": "sparring",
            "batch": config.batch_size,
            "threads": config.threads,
            "step_ms": step_ms,
            "gflop": flop as f64 * 1e-9,
            "libtorch_products_ms": libtorch_ms,
            "team_products_ms": team_ms,
            "products_ms": products_ms,
            "products_gflop_per_s": flop as f64 * 1e-6 / products_ms,
            "adam_ms": adam_ms,
            "bound_ms": bound_ms,
            "share": bound_ms / step_ms,
            "parts": parts(options, data),
        })
    );
    Ok(())
}

/// Mean time of some work in milliseconds, over a turn's share of the steps.
fn mean_ms(options: &Options, mut work: impl FnMut()) -> f64 {
    for _ in 0..options.warmup {
        work();
    }
    let rounds = options.steps.div_ceil(TURNS);
    let start = Instant::now();
    for _ in 0..rounds {
        work();
    }
    start.elapsed().as_secs_f64() * 1e3 / rounds as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A step taken apart, as [`Session::step`] makes it but for the metrics: milliseconds of each part.
fn parts(options: &Options, data: Dataset) -> Vec<Value> {
    let config = &options.config;
    let Networks {
        generator,
        discriminator,
    } = Networks::new(config, &data);
    let adam = |network: &Network, plan: &config::Network| {
        Adam::new(network.parameter_tensors(), plan.learning_rate, plan.betas)
    };
    let mut g_adam = adam(&generator, &config.generator);
    let mut d_adam = adam(&discriminator, &config.discriminator);
    let (mut g_gradients, mut d_gradients) = (Vec::new(), Vec::new());
    let mut loader = DataLoader::new(data, config.batch_size, 1, config.seed);
    let loss = AdversarialLoss::new(config);
    let mut watch = Stopwatch::default();
    for step in 0..options.warmup + options.steps {
        if step == options.warmup {
            watch = Stopwatch::default();
        }
        let batch = watch.time("real images", || loader.batches(step).remove(0));
        let real = batch.images;
        let n = real.size()[0];
        let noise = watch.time("noise", || {
            reseed(config.seed, Stream::Step, step);
            Tensor::randn([n, config.latent_dim as i64], (Kind::Float, Device::Cpu))
        });
        let fake = watch.time("G forward", || generator.forward(&noise, None));
        let both = watch.time("real and fake together", || {
            Tensor::cat(&[&real, &fake.detach()], 0)
        });
        let logits = watch.time("D forward, both", || discriminator.forward(&both, None));
        let d_loss = watch.time("D loss", || {
            let [real, fake] = [0, n].map(|first| logits.narrow(0, first, n));
            loss.discriminator(&Logits { real, fake })
        });
        watch.time("D backward", || {
            d_gradients.clear();
            d_gradients = Tensor::run_backward(&[d_loss], d_adam.parameters(), false, false);
        });
        watch.time("D Adam", || d_adam.step(&d_gradients));
        let logits = watch.time("D forward, fake", || discriminator.forward(&fake, None));
        let g_loss = watch.time("G loss", || {
            let real = Tensor::new();
            loss.generator(&Logits { real, fake: logits })
        });
        watch.time("G backward", || {
            g_gradients.clear();
            g_gradients = Tensor::run_backward(&[g_loss], g_adam.parameters(), false, false);
        });
        watch.time("G Adam", || g_adam.step(&g_gradients));
    }
    watch
        .parts
        .iter()
        .map(|(name, total)| json!({"name": name, "ms": total / options.steps as f64}))
        .collect()
}

/// The most memory that this process has held, in MB of 10⁶ bytes.
fn peak_memory() -> f64 {
    // SAFETY: getrusage only writes to the struct that it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    usage.ru_maxrss as f64 * 1.024e-3
}
