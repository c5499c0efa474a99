//! Training on a CUDA device: a real one where there is one, else one that computes on the CPU (`tests/fake_cuda`).
//!
//! libtorch looks for its CUDA backend once per process, and flags and seeds belong to the process. So every story here is a
//! process of its own: this program starts itself again, where the fake's libraries are found first.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

use std::collections::BTreeMap;
use std::process::Command;

use sparring_contract::config::{Config, Request, Setting, resolve};
use sparring_engine::data::{Dataset, Images};
use sparring_engine::device;
use sparring_engine::gan::Session;
use sparring_engine::native::{self, CudaSettings};
use sparring_fake_cuda as fake;
use tch::{Device, Kind, Tensor};

/// Runs a story of [`mod stories`](stories) in a process that has a CUDA device.
fn tell(story: &str) {
    tell_with(story, &[]);
}

/// [`tell`] with settings of the fake device; a machine with a real one has nothing to tell then.
fn tell_with(story: &str, settings: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("stories::{story}");
    command.args(["--exact", &name, "--ignored", "--nocapture"]);
    if fake::has_real_device() {
        if !settings.is_empty() {
            return;
        }
    } else {
        fake::on_fake_cuda(&mut command).envs(settings.iter().copied());
    }
    let said = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let out = text(&said.stdout);
    assert!(
        said.status.success() && out.contains("1 passed"),
        "{out}{}",
        text(&said.stderr)
    );
    assert_eq!(text(&said.stderr), "", "libtorch warns of something");
}

/// Every preset, with pictures that it can be trained on, and what else the configuration says.
const PRESETS: [(&str, [i64; 3], &[&str]); 13] = [
    ("tutorial", [1, 28, 28], &[]),
    ("mlp", [1, 28, 28], &[]),
    ("r3", [1, 28, 28], &[]),
    ("cgan", [1, 28, 28], &[]),
    ("dcgan", [1, 28, 28], &[]),
    ("cdcgan", [1, 28, 28], &[]),
    ("few", [1, 28, 28], &["instance_noise_steps=4"]),
    (
        "dcgan",
        [3, 32, 32],
        &[
            "augment.translation=0.125",
            "augment.color=1.0",
            "augment.cutout=0.5",
        ],
    ),
    ("resnet", [3, 32, 32], &[]),
    ("pix2pix", [1, 28, 28], &["latent_dim=2"]),
    ("pix2pix", [3, 32, 32], &["task=enlarge"]),
    (
        "pix2pix",
        [3, 32, 32],
        &["task=translate", "translate.from=grey"],
    ),
    (
        "tutorial",
        [1, 28, 28],
        &[
            "loss=wasserstein",
            "penalty.wgan_gp=10.0",
            "discriminator_steps=3",
        ],
    ),
];

/// Operations that a step without a penalty starts at most, with and without CUDA graphs.
const OPERATIONS: [(&str, bool, u64); 4] = [
    ("tutorial", true, 2),
    ("tutorial", false, 81),
    ("r3", true, 5),
    ("r3", false, 115),
];

fn config(preset: &str, settings: &[&str]) -> Config {
    let settings = ["batch_size=8"].iter().chain(settings);
    let request = Request {
        preset: Some(preset.to_owned()),
        settings: settings.map(|text| Setting::parse(text).unwrap()).collect(),
        ..Request::default()
    };
    resolve(&request).unwrap().config
}

/// Pictures of ten classes on a device: 44 of them are five batches of eight and one of four.
fn data(conditional: bool, shape: [i64; 3], device: Device) -> Dataset {
    let [channels, height, width] = shape;
    let pixels = channels * height * width;
    let noise = |index: i64| u8::try_from((index * 7919 + index / pixels * 31) % 251).unwrap();
    let count = 44;
    let sizes = [count, channels, height, width].map(|size| usize::try_from(size).unwrap());
    let images = Images {
        count: sizes[0],
        channels: sizes[1],
        height: sizes[2],
        width: sizes[3],
        pixels: (0..count * pixels).map(noise).collect(),
    };
    let classes: Vec<u16> = (0..44).map(|index| index % 10).collect();
    let dataset = Dataset::on(device, &images)
        .with_class_names((0..10).map(|class| class.to_string()).collect());
    if conditional {
        dataset.with_classes(&classes)
    } else {
        dataset
    }
}

fn session(config: &Config, shape: [i64; 3], device: Device) -> Session {
    Session::new(config, data(config.conditional, shape, device))
}

/// The first CUDA device, ready.
fn cuda(settings: CudaSettings) -> Device {
    // An error of libtorch is a panic without words.
    std::panic::set_hook(Box::new(|panic| {
        let error = panic.payload().downcast_ref::<tch::TchError>();
        eprintln!(
            "{panic} {}",
            error.map(ToString::to_string).unwrap_or_default()
        );
    }));
    native::prepare(1);
    let device = device::choose("cuda", settings).unwrap().device;
    assert_eq!(device, Device::Cuda(0));
    device
}

const DETERMINISTIC: CudaSettings = CudaSettings {
    tf32: false,
    deterministic: true,
};

/// The state on the CPU, by name.
fn state(session: &Session) -> BTreeMap<String, Tensor> {
    let tensors = session.state_dict().tensors.into_iter();
    tensors
        .map(|(name, tensor)| (name, tensor.to_device(Device::Cpu).copy()))
        .collect()
}

fn assert_identical(case: &str, found: &Session, expected: &Session) {
    let expected = state(expected);
    for (name, tensor) in state(found) {
        assert!(tensor.equal(&expected[&name]), "{case}: {name} differs");
    }
}

/// Asserts that most of each tensor of the networks is as it should be: relative L2 distance, or absolute where the tensor
/// is small.
fn assert_near(case: &str, found: &Session, expected: &Session, tolerance: f64) {
    let expected = state(expected);
    for (name, tensor) in state(found) {
        if name.starts_with("optimizer.") || is_bias_before_batch_norm(&name, &expected) {
            continue;
        }
        let expected = &expected[&name];
        let norm = |tensor: &Tensor| tensor.norm().double_value(&[]);
        let distance = norm(&(&tensor - expected)) / norm(expected).max(1.0);
        assert!(
            distance <= tolerance,
            "{case}: {name} is off by {distance:e}"
        );
    }
}

/// Whether a tensor makes no difference, because a batch norm takes it away again: its gradient is what rounding leaves, and
/// Adam makes whole steps of that.
fn is_bias_before_batch_norm(name: &str, state: &BTreeMap<String, Tensor>) -> bool {
    let next = || {
        let (model, index) = name.strip_suffix(".bias")?.rsplit_once('.')?;
        let index: usize = index.parse().ok()?;
        Some(format!("{model}.{}.running_mean", index + 1))
    };
    next().is_some_and(|next| state.contains_key(&next))
}

#[test]
fn a_device_is_chosen_and_tried() {
    tell("a_device_is_chosen_and_tried");
}

#[test]
fn a_step_never_waits_and_starts_few_operations() {
    tell("a_step_never_waits_and_starts_few_operations");
}

#[test]
fn a_device_trains_as_the_cpu_does() {
    tell("a_device_trains_as_the_cpu_does");
}

#[test]
fn recorded_steps_are_those_that_are_made_one_operation_at_a_time() {
    tell("recorded_steps_are_those_that_are_made_one_operation_at_a_time");
}

#[test]
fn a_session_goes_on_from_its_state_to_the_same_bits() {
    tell("a_session_goes_on_from_its_state_to_the_same_bits");
}

#[test]
fn a_state_is_fetched_with_one_wait() {
    tell("a_state_is_fetched_with_one_wait");
}

#[test]
fn every_precision_trains_without_a_warning() {
    tell("every_precision_trains_without_a_warning");
}

mod stories {
    use super::*;

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn a_device_is_chosen_and_tried() {
        let choice = device::choose("auto", CudaSettings::default()).unwrap();
        assert_eq!((choice.device, choice.why_cpu), (Device::Cuda(0), None));
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn a_step_never_waits_and_starts_few_operations() {
        let device = cuda(CudaSettings::default());
        for (preset, shape, settings) in PRESETS {
            let settings = [settings, &["cuda_graphs=false"]].concat();
            let mut session = session(&config(preset, &settings), shape, device);
            // Sixteen steps are more than two epochs, and penalties of every eighth step are due twice.
            for step in 0..16 {
                let _ = fake::take_trace();
                let waited = fake::synchronizations();
                session.step();
                let trace = fake::take_trace().unwrap_or_default();
                assert_eq!(
                    fake::synchronizations(),
                    waited,
                    "{preset}, step {step}:\n{trace}"
                );
            }
        }
        for (preset, graphs, most) in OPERATIONS {
            let settings = format!("cuda_graphs={graphs}");
            let mut session = session(&config(preset, &[&settings]), [1, 28, 28], device);
            // Step 33 has no penalty, follows the recording of the steps that have none, and is not the last of its epoch.
            for _ in 0..33 {
                session.step();
            }
            let _ = fake::take_trace();
            let before = fake::operations();
            session.step();
            let trace = fake::take_trace().unwrap_or_default();
            if let (Some(before), Some(after)) = (before, fake::operations()) {
                let started = after - before;
                assert!(started <= most, "{preset}, {settings}: {started}\n{trace}");
            }
        }
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn a_device_trains_as_the_cpu_does() {
        let device = cuda(DETERMINISTIC);
        for (preset, shape, settings) in PRESETS {
            let config = config(preset, settings);
            let [mut on_device, mut on_cpu] =
                [device, Device::Cpu].map(|device| session(&config, shape, device));
            // The random numbers of a real device are its own.
            let state = on_cpu.state_dict().deep_copy();
            on_device.load_state_dict(&state).unwrap();
            let batch = data(config.conditional, shape, device)
                .select(&Tensor::arange(8, (Kind::Int64, device)));
            let batch_on_cpu = data(config.conditional, shape, Device::Cpu)
                .select(&Tensor::arange(8, (Kind::Int64, Device::Cpu)));
            let input = on_cpu.preview(5, 8).input;
            let draws = config.augment.translation > 0.0
                || config.instance_noise > 0.0
                || config.discriminator.dropout > 0.0
                || config.penalty.wgan_gp > 0.0;
            if draws {
                continue;
            }
            on_device.step_on(&batch, &input.to_device(device));
            on_cpu.step_on(&batch_on_cpu, &input);
            assert_near(preset, &on_device, &on_cpu, 1e-3);
            let [found, expected] = [on_device.metrics(), on_cpu.metrics()];
            for name in ["d_loss", "g_loss", "d_grad_norm", "g_grad_norm"] {
                let (found, expected) = (found.get(name), expected.get(name));
                assert!(
                    (found - expected).abs() <= 1e-3 * expected.abs(),
                    "{preset}: {name} is {found}, not {expected}"
                );
            }
        }
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn recorded_steps_are_those_that_are_made_one_operation_at_a_time() {
        let device = cuda(DETERMINISTIC);
        for (preset, shape, settings) in PRESETS {
            let one_by_one = [settings, &["schedule=linear", "schedule_steps=40"]].concat();
            let [mut recorded, mut plain] =
                ["cuda_graphs=true", "cuda_graphs=false"].map(|graphs| {
                    let settings = [&one_by_one[..], &[graphs]].concat();
                    session(&config(preset, &settings), shape, device)
                });
            // The penalty of every eighth step is recorded at its fourth.
            for _ in 0..34 {
                recorded.step();
                plain.step();
            }
            assert_eq!(recorded.take_recording_failure(), None, "{preset}");
            assert_identical(preset, &recorded, &plain);
            assert_eq!(recorded.metrics(), plain.metrics(), "{preset}");
        }
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn a_session_goes_on_from_its_state_to_the_same_bits() {
        let device = cuda(DETERMINISTIC);
        for (preset, shape, settings) in PRESETS {
            let config = config(preset, settings);
            let mut whole = session(&config, shape, device);
            for _ in 0..7 {
                whole.step();
            }
            let kept = whole.state_dict().deep_copy();
            let mut resumed = session(&config, shape, device);
            resumed.load_state_dict(&kept).unwrap();
            for _ in 0..13 {
                whole.step();
                resumed.step();
            }
            assert_identical(preset, &resumed, &whole);
            // It also goes back to it, with recorded steps.
            whole.load_state_dict(&kept).unwrap();
            for _ in 0..13 {
                whole.step();
            }
            assert_identical(preset, &whole, &resumed);
        }
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn a_state_is_fetched_with_one_wait() {
        let device = cuda(DETERMINISTIC);
        let (preset, shape, settings) = PRESETS[0];
        let mut session = session(&config(preset, settings), shape, device);
        session.step();
        let before = fake::synchronizations();
        let fetched = session.state_dict().on_cpu();
        if let (Some(before), Some(after)) = (before, fake::synchronizations()) {
            assert_eq!(after - before, 1);
        }
        let expected = state(&session);
        for (name, tensor) in fetched.tensors {
            assert_eq!(tensor.device(), Device::Cpu);
            assert!(tensor.equal(&expected[&name]), "{name}");
        }
    }

    #[test]
    #[ignore = "needs a device: another test runs it in a process that has one"]
    fn every_precision_trains_without_a_warning() {
        for precision in ["tf32", "bfloat16"] {
            let device = cuda(CudaSettings {
                tf32: precision == "tf32",
                deterministic: false,
            });
            for (preset, shape, settings) in PRESETS {
                let precision = format!("precision={precision}");
                let settings = [settings, &[&precision, "device=cuda"]].concat();
                let mut session = session(&config(preset, &settings), shape, device);
                for _ in 0..6 {
                    session.step();
                }
                let metrics = session.metrics();
                assert!(
                    metrics.get("d_loss").is_finite(),
                    "{preset} {precision}: {metrics:?}"
                );
                assert!(session.fault().is_none());
            }
        }
    }
}
