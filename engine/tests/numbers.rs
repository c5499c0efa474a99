//! The engine's arithmetic against PyTorch: three steps of a preset's GAN, made by `tests/python/make_fixture.py`.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // a test may fail loudly
use std::path::PathBuf;

use sparring_contract::config::{Config, Request, Setting, resolve};
use sparring_engine::data::{Batch, Dataset, Images};
use sparring_engine::gan::Session;
use tch::{Device, Kind, Tensor};

/// How far a tensor may be from PyTorch's, in relative L2 norm.
const TOLERANCE: f64 = 1e-5;

/// PyTorch's numbers: the narrow networks in the repository, or the files of another folder.
struct Fixture {
    preset: &'static str,
    tensors: Vec<(String, Tensor)>,
}

impl Fixture {
    fn of(preset: &'static str) -> Self {
        let path = match std::env::var_os("SPARRING_FIXTURES") {
            Some(folder) => PathBuf::from(folder).join(format!("{preset}.safetensors")),
            None => PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/fixtures/{preset}-narrow.safetensors")),
        };
        let tensors = Tensor::read_safetensors(path).unwrap();
        Self { preset, tensors }
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        let mut tensors = self.tensors.iter();
        tensors.find_map(|(known, tensor)| (known == name).then_some(tensor))
    }

    fn get(&self, name: &str) -> &Tensor {
        self.find(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).double_value(&[])
    }

    /// How far a gradient may be from PyTorch's. A bias's gradient is a sum in which real and fake almost cancel, and
    /// no sum is more exact than the rounding of its terms.
    fn tolerance(&self, gradient: &str) -> f64 {
        let summed = gradient.replacen("gradient", "summed", 1);
        let roundings = self.find(&summed).map_or(0.0, |parts| {
            f64::from(f32::EPSILON) * parts.double_value(&[])
        });
        TOLERANCE * self.get(gradient).norm().double_value(&[]) + roundings
    }

    /// The preset's configuration with the fixture's widths.
    fn config(&self) -> Config {
        let size =
            |name: &str, axis: usize| self.get(&format!("initial.{name}.weight")).size()[axis];
        let (generator, discriminator) = match self.preset {
            "tutorial" => (
                [0, 2, 4]
                    .map(|index| size(&format!("generator.model.{index}"), 0))
                    .to_vec(),
                [1, 3].map(|index| size(&format!("discriminator.model.{index}"), 0)),
            ),
            _ => (
                [2, 5]
                    .map(|index| size(&format!("generator.model.{index}"), 0))
                    .to_vec(),
                [0, 2].map(|index| size(&format!("discriminator.model.{index}"), 0)),
            ),
        };
        let settings = [
            format!("latent_dim={}", size("generator.model.0", 1)),
            format!("generator.hidden={generator:?}"),
            format!("discriminator.hidden={discriminator:?}"),
        ];
        let settings = settings
            .iter()
            .map(|text| Setting::parse(text).unwrap())
            .collect();
        resolve(&Request {
            preset: Some(self.preset.to_owned()),
            settings,
            ..Request::default()
        })
        .unwrap()
        .config
    }

    /// A session with the fixture's initial weights.
    fn session(&self) -> Session {
        let side = self.get("step.0.real").size()[2] as usize;
        let images = Images {
            count: 1,
            channels: 1,
            height: side,
            width: side,
            pixels: vec![0; side * side],
        };
        let session = Session::new(&self.config(), Dataset::on(Device::Cpu, &images));
        for (name, mut tensor) in session.state_dict().tensors {
            if !name.starts_with("optimizer.") {
                let initial = self.get(&format!("initial.{name}"));
                sparring_engine::native::no_grad(|| tensor.copy_(initial));
            }
        }
        session
    }
}

fn assert_near(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    let distance = (found - expected).norm().double_value(&[]);
    let norm = expected.norm().double_value(&[]);
    assert!(
        distance <= tolerance,
        "{what} is off by {distance:e} in L2 norm, of {norm:e}: {tolerance:e} is allowed"
    );
}

/// Whether a batch norm cancels this bias. Its gradient is zero except for rounding, which Adam turns into whole steps.
fn is_cancelled(fixture: &Fixture, name: &str) -> bool {
    fixture.preset == "dcgan" && name == "generator.model.4.bias"
}

/// Makes three steps, compares each with PyTorch's, and returns the session. Each step starts from PyTorch's weights:
/// otherwise the error of one step could push inputs of `ReLU`s across zero in the next.
fn three_steps(fixture: &Fixture, parameters: usize) -> Session {
    let mut session = fixture.session();
    for step in 0..3 {
        let at = |name: &str| format!("step.{step}.{name}");
        let batch = Batch {
            partners: None,
            images: fixture.get(&at("real")).shallow_clone(),
            classes: None,
        };
        session.step_on(&batch, fixture.get(&at("noise")));

        let metrics = session.metrics();
        for name in ["d_loss", "g_loss"] {
            let found = metrics.get(name);
            let expected = fixture.number(&at(name));
            assert!(
                (found / expected - 1.0).abs() <= TOLERANCE,
                "{name} of step {step}: {found}, not {expected}"
            );
        }
        let gradients = session.gradients();
        assert_eq!(gradients.len(), parameters);
        for (name, gradient) in gradients {
            let what = at(&format!("gradient.{name}"));
            if is_cancelled(fixture, &name) {
                let largest = gradient.abs().max().double_value(&[]);
                assert!(largest < 1e-6, "{name} of step {step}: {largest:e}");
            } else {
                assert_near(
                    &what,
                    gradient,
                    fixture.get(&what),
                    fixture.tolerance(&what),
                );
            }
        }
        for (name, mut weight) in session.state_dict().tensors {
            if name.starts_with("optimizer.") {
                continue;
            }
            let expected = fixture.get(&at(&format!("weight.{name}")));
            if !is_cancelled(fixture, &name) {
                let tolerance = TOLERANCE * expected.norm().double_value(&[]);
                assert_near(&at(&format!("weight.{name}")), &weight, expected, tolerance);
            }
            sparring_engine::native::no_grad(|| weight.copy_(expected));
        }
    }
    session
}

#[test]
fn three_steps_of_linear_networks_match_pytorch() {
    three_steps(&Fixture::of("tutorial"), 14);
}

#[test]
fn three_steps_of_convolutional_networks_match_pytorch() {
    let fixture = Fixture::of("dcgan");
    let session = three_steps(&fixture, 16);
    // The running statistics are among the weights above; pictures are drawn with them.
    let found = session
        .sample_from(fixture.get("step.2.noise"), None)
        .to_kind(Kind::Float);
    let expected = (fixture.get("pictures") + 1.0) * 127.5;
    let worst = (found - expected).abs().max().double_value(&[]);
    assert!(worst < 0.501, "a pixel is off by {worst} of 255");
}
