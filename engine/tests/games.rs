//! Losses, penalties, norms, averages and conditioning against PyTorch: three steps of small GANs, made by
//! `tests/python/make_games.py`.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // a test may fail loudly
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sparring_contract::config::{Config, Request, Setting, resolve};
use sparring_engine::data::{Batch, DataLoader, Dataset, Images};
use sparring_engine::gan::{Session, diff_augmented};
use tch::{Device, Tensor};

/// How far a loss may be from PyTorch's, relative to the loss, or to 1 if the loss is smaller.
const TOLERANCE: f64 = 1e-5;

/// How far a tensor of the state may be from PyTorch's, in relative L2 norm. Adam's first steps are little more than
/// the signs of the gradients, and rounding changes the sign of tiny ones.
const STATE_TOLERANCE: f64 = 2e-4;

/// Seeds belong to the process, and tests are its threads, so they take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Settings of all games.
const SMALL: &[&str] = &[
    "batch_size=8",
    "latent_dim=6",
    "generator.hidden=[12, 10]",
    "generator.activation=leaky_relu",
    "discriminator.hidden=[14, 9]",
];

fn config(rules: &[&str]) -> Config {
    let settings = SMALL
        .iter()
        .chain(rules)
        .map(|text| Setting::parse(text).unwrap())
        .collect();
    resolve(&Request {
        preset: Some("tutorial".to_owned()),
        settings,
        ..Request::default()
    })
    .unwrap()
    .config
}

/// Sixty-four black images of three classes: the games bring their own batches, but the networks take their sizes from
/// these.
fn data() -> Dataset {
    let images = Images {
        count: 64,
        channels: 1,
        height: 8,
        width: 8,
        pixels: vec![0; 64 * 64],
    };
    Dataset::on(Device::Cpu, &images)
        .with_classes(&[0, 1, 2, 0].repeat(16))
        .with_class_names(["0", "1", "2"].map(str::to_owned).to_vec())
}

struct Game {
    name: &'static str,
    config: Config,
    tensors: Vec<(String, Tensor)>,
}

impl Game {
    fn of(name: &'static str, rules: &[&str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games.safetensors");
        Self {
            name,
            config: config(rules),
            tensors: Tensor::read_safetensors(path).unwrap(),
        }
    }

    fn get(&self, name: &str) -> &Tensor {
        let name = format!("{}.{name}", self.name);
        let found = self.tensors.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("no {name}")).1
    }

    /// Makes the three steps and compares losses and state with PyTorch's.
    fn assert_matches(&self) {
        let _alone = alone();
        let mut session = Session::new(&self.config, data());
        for (name, mut tensor) in session.state_dict().tensors {
            if !name.starts_with("optimizer.") {
                sparring_engine::native::no_grad(|| {
                    tensor.copy_(self.get(&format!("initial.{name}")));
                });
            }
        }
        for step in 0..3 {
            let at = |name: &str| self.get(&format!("{step}.{name}"));
            let batch = Batch {
                images: at("real").shallow_clone(),
                partners: None,
                classes: (self.config.conditional).then(|| at("classes").shallow_clone()),
            };
            tch::manual_seed(step);
            session.step_on(&batch, at("noise"));
            let metrics = session.metrics();
            for name in ["d_loss", "g_loss"] {
                let found = metrics.get(name);
                let expected = at(name).double_value(&[]);
                assert!(
                    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                    "{}: {name} of step {step}: {found}, not {expected}",
                    self.name
                );
            }
            for (name, mut tensor) in session.state_dict().tensors {
                if name.starts_with("optimizer.") {
                    continue;
                }
                let expected = at(&format!("state.{name}"));
                if self.is_cancelled(&name) {
                    sparring_engine::native::no_grad(|| tensor.copy_(expected));
                    continue;
                }
                let distance = (&tensor - expected).norm().double_value(&[])
                    / expected.norm().double_value(&[]);
                assert!(
                    distance <= STATE_TOLERANCE,
                    "{}: {name} after step {step} is off by {distance:e} in relative L2 norm",
                    self.name
                );
            }
        }
    }

    /// Whether a batch norm or the other logit cancels this bias: its gradient is nothing but rounding, and Adam turns
    /// that into whole steps.
    fn is_cancelled(&self, name: &str) -> bool {
        let biases: &[&str] = match self.name {
            "least_squares" => &["generator.model.0.bias", "generator.model.3.bias"],
            "convolutional" => &["generator.model.0.bias", "generator.model.4.bias"],
            "relativistic" | "enlarging" => &["discriminator.model.5.bias"],
            "residual" => &["discriminator.model.6.bias"],
            _ => &[],
        };
        biases.iter().any(|bias| name.ends_with(bias))
    }
}

#[test]
fn a_hinge_loss_matches_pytorch() {
    Game::of("hinge", &["loss=hinge"]).assert_matches();
}

#[test]
fn a_least_squares_loss_with_batch_norm_and_an_average_matches_pytorch() {
    let rules = [
        "loss=least_squares",
        "generator.normalization=batch",
        "ema_decay=0.9",
    ];
    Game::of("least_squares", &rules).assert_matches();
}

#[test]
fn label_smoothing_and_a_learning_rate_schedule_match_pytorch() {
    let rules = [
        "label_smoothing=0.1",
        "schedule=linear",
        "schedule_steps=4",
        "schedule_floor=0.1",
    ];
    Game::of("smooth", &rules).assert_matches();
}

#[test]
fn a_wasserstein_loss_with_gradient_penalty_matches_pytorch() {
    Game::of("wasserstein", &["loss=wasserstein", "penalty.wgan_gp=10"]).assert_matches();
}

#[test]
fn a_relativistic_loss_with_lazy_penalties_matches_pytorch() {
    let rules = [
        "loss=relativistic",
        "penalty.r1=0.5",
        "penalty.r2=0.3",
        "penalty.lazy_interval=2",
        "betas=[0.0, 0.99]",
    ];
    Game::of("relativistic", &rules).assert_matches();
}

#[test]
fn conditional_networks_match_pytorch() {
    Game::of("conditional", &["conditional=true", "ema_decay=0.9"]).assert_matches();
}

#[test]
fn convolutions_with_spectral_norm_and_a_penalty_match_pytorch() {
    let rules = [
        "generator.architecture=dcgan",
        "generator.hidden=[10, 6]",
        "generator.normalization=batch",
        "discriminator.architecture=dcgan",
        "discriminator.hidden=[5, 12]",
        "discriminator.normalization=spectral",
        "penalty.r1=1",
    ];
    Game::of("convolutional", &rules).assert_matches();
}

#[test]
fn residual_networks_match_pytorch() {
    let rules = [
        "loss=relativistic",
        "conditional=true",
        "generator.architecture=resnet",
        "generator.hidden=[8, 6]",
        "generator.group_width=4",
        "generator.patch_size=1",
        "discriminator.architecture=resnet",
        "discriminator.hidden=[6, 8]",
        "discriminator.group_width=4",
        "discriminator.patch_size=1",
        "penalty.r1=0.5",
        "penalty.r2=0.3",
        "penalty.lazy_interval=2",
    ];
    Game::of("residual", &rules).assert_matches();
}

#[test]
fn a_u_net_and_a_discriminator_that_sees_the_condition_match_pytorch() {
    let rules = [
        "task=enlarge",
        "enlarge.factor=2",
        "latent_dim=0",
        "loss=hinge",
        "loss_weights.l1=20",
        "ema_decay=0.9",
        "generator.architecture=unet",
        "generator.hidden=[4, 8]",
        "generator.group_width=4",
        "discriminator.architecture=dcgan",
        "discriminator.hidden=[5, 12]",
        "discriminator.normalization=spectral",
    ];
    Game::of("enlarging", &rules).assert_matches();
}

#[test]
fn differentiable_augmentation_matches_pytorch() {
    let _alone = alone();
    for (name, rules) in [
        ("color", &["augment.color=1"][..]),
        ("half_color", &["augment.color=0.5"]),
        ("translation", &["augment.translation=0.25"]),
        ("cutout", &["augment.cutout=0.5"]),
        (
            "all",
            &[
                "augment.color=1",
                "augment.translation=0.125",
                "augment.cutout=0.375",
            ],
        ),
    ] {
        let game = Game::of("augment", rules);
        tch::manual_seed(8);
        let found = diff_augmented(game.get("pictures"), &game.config.augment);
        let off = (found - game.get(name)).abs().max().double_value(&[]);
        assert!(off < 1e-5, "{name}: {off}");
    }
}

#[test]
fn flips_mirror_about_half_of_the_real_pictures_and_nothing_else() {
    let _alone = alone();
    // A picture whose left half is white.
    let row = [[255; 4], [0; 4]].concat();
    let images = Images {
        count: 64,
        channels: 1,
        height: 8,
        width: 8,
        pixels: row.repeat(8 * 64),
    };
    let mut loader = DataLoader::new(Dataset::on(Device::Cpu, &images), 64, 1, 3).with_flips(true);
    let batch = loader.batches(0).remove(0).images;
    let is_left = batch.select(3, 0).select(2, 0).flatten(0, -1);
    let mirrored = batch.flip([3]);
    let flipped = is_left.lt(0.0).sum(tch::Kind::Int64).int64_value(&[]);
    assert!((16..=48).contains(&flipped), "{flipped} of 64");
    assert_eq!(
        (&batch + mirrored).abs().max().double_value(&[]),
        0.0,
        "a picture is neither as it was nor mirrored"
    );
    let again = loader.batches(0).remove(0).images;
    assert_eq!(again, batch, "the same step has other flips");
}

#[test]
fn convolutional_networks_take_pictures_of_every_size_grey_and_in_colour() {
    let _alone = alone();
    for architecture in ["dcgan", "resnet"] {
        for side in [28, 32, 48, 64] {
            for channels in [1, 3] {
                let case = format!("{architecture} of {channels}x{side}x{side}");
                let [generator, discriminator] = ["generator", "discriminator"]
                    .map(|network| format!("{network}.architecture={architecture}"));
                let rules = [
                    generator.as_str(),
                    &discriminator,
                    "generator.hidden=[16, 16]",
                    "discriminator.hidden=[16, 16]",
                    "conditional=true",
                    "batch_size=2",
                    "augment.color=1",
                    "augment.translation=0.125",
                    "augment.cutout=0.5",
                ];
                let images = Images {
                    count: 4,
                    channels,
                    height: side,
                    width: side,
                    pixels: (0..4 * channels * side * side)
                        .map(|at| (at % 251) as u8)
                        .collect(),
                };
                let data = Dataset::on(Device::Cpu, &images)
                    .with_classes(&[0, 1, 0, 1])
                    .with_class_names(["a", "b"].map(str::to_owned).to_vec());
                let mut session = Session::new(&config(&rules), data);
                let pictures = session.sample(1, 3);
                let [channels, side] = [channels as i64, side as i64];
                assert_eq!(pictures.size(), [3, channels, side, side], "{case}");
                session.step();
                session.step();
                let metrics = session.metrics();
                assert!(metrics.get("d_loss").is_finite(), "{case}");
                // G's first layer makes 4 to 7 pixels a side, whatever the size of the pictures.
                let tensors = session.state_dict().tensors;
                let sizes = |name: &str| {
                    let found = tensors.iter().find(|(known, _)| known == name);
                    found
                        .unwrap_or_else(|| panic!("{case}: no {name}"))
                        .1
                        .size()
                };
                let start = match architecture {
                    "dcgan" => {
                        let pixels = sizes("generator.model.0.weight")[0];
                        pixels / sizes("generator.model.3.weight")[0]
                    }
                    _ => sizes("generator.model.0.basis")[1].pow(2),
                };
                assert!((16..64).contains(&start), "{case}: {start} pixels");
            }
        }
    }
}

#[test]
fn a_discriminator_with_three_updates_per_step_sees_each_image_once_per_epoch() {
    let _alone = alone();
    let config = config(&["discriminator_steps=3", "generator_steps=2"]);
    let mut session = Session::new(&config, data());
    // Eight batches, three per step.
    assert_eq!(session.loader().steps_per_epoch(), 3);
    for _ in 0..4 {
        session.step();
    }
    assert_eq!(session.loader().images_before(4), 64 + 24);
    let tensors = session.state_dict().tensors;
    let steps = |name: &str| {
        let found = tensors.iter().find(|(known, _)| known == name);
        found.unwrap().1.double_value(&[])
    };
    assert_eq!(steps("optimizer.discriminator.step"), 3.0 + 3.0 + 2.0 + 3.0);
    assert_eq!(steps("optimizer.generator.step"), 8.0);
}

#[test]
fn augmentation_depends_only_on_seed_and_step() {
    let _alone = alone();
    let rules = [
        "instance_noise=0.1",
        "instance_noise_steps=100",
        "augment.translation=0.25",
        "augment.cutout=0.5",
        "augment.color=1",
        "augment.flip=true",
        "discriminator.dropout=0.3",
        "label_smoothing=0.1",
    ];
    assert_resumes_exactly(&rules);
}

#[test]
fn a_restored_session_with_several_updates_per_step_makes_the_same_steps() {
    let _alone = alone();
    assert_resumes_exactly(&[
        "discriminator_steps=3",
        "generator_steps=2",
        "schedule=linear",
        "schedule_steps=8",
        "ema_decay=0.9",
    ]);
}

/// Asserts that four steps end in the same state whether one session makes them all or another continues after two.
fn assert_resumes_exactly(rules: &[&str]) {
    let weights = |steps_before: u64| {
        let mut session = Session::new(&config(rules), data());
        for _ in 0..steps_before {
            session.step();
        }
        let kept = session.state_dict().deep_copy();
        let mut session = Session::new(&config(rules), data());
        session.load_state_dict(&kept).unwrap();
        for _ in steps_before..4 {
            session.step();
        }
        session.state_dict().deep_copy()
    };
    let (one, other) = (weights(0), weights(2));
    for ((name, one), (_, other)) in one.tensors.iter().zip(&other.tensors) {
        assert_eq!(one, other, "{name}");
    }
}
