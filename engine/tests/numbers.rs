//! The engine's arithmetic against PyTorch's: three steps of the tutorial's GAN, made by
//! `tests/python/make_fixture.py`.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // a test may fail loudly
use std::path::PathBuf;

use sparring_contract::config::{Config, Request, Setting, resolve};
use sparring_engine::data::{Dataset, Images};
use sparring_engine::gan::Session;
use tch::{Device, Tensor};

/// How far a tensor may be from PyTorch's, in relative L2 norm.
const TOLERANCE: f64 = 1e-5;

/// The numbers from PyTorch: the narrow ones of the repository, or those of another file.
struct Fixture(Vec<(String, Tensor)>);

impl Fixture {
    fn load() -> Self {
        let narrow = || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fixtures/tutorial-narrow.safetensors")
        };
        let path = std::env::var_os("SPARRING_FIXTURE").map_or_else(narrow, PathBuf::from);
        Self(Tensor::read_safetensors(path).unwrap())
    }

    fn get(&self, name: &str) -> &Tensor {
        &self
            .0
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .1
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).double_value(&[])
    }

    /// The tutorial's configuration, with the widths that the fixture has.
    fn config(&self) -> Config {
        let rows = |name: &str| self.get(&format!("initial.{name}.weight")).size()[0];
        let columns = |name: &str| self.get(&format!("initial.{name}.weight")).size()[1];
        let settings = [
            format!("latent_dim={}", columns("generator.model.0")),
            format!(
                "generator.hidden=[{}, {}, {}]",
                rows("generator.model.0"),
                rows("generator.model.2"),
                rows("generator.model.4")
            ),
            format!(
                "discriminator.hidden=[{}, {}]",
                rows("discriminator.model.1"),
                rows("discriminator.model.3")
            ),
        ];
        let settings = settings
            .iter()
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

    /// A session with the fixture's initial weights.
    fn session(&self) -> Session {
        let side = self.get("step.0.real").size()[2] as usize;
        let images = Images {
            origin: String::new(),
            count: 1,
            height: side,
            width: side,
            pixels: vec![0; side * side],
        };
        let session = Session::new(&self.config(), Dataset::on(Device::Cpu, &images));
        for (name, mut tensor) in session.snapshot().tensors {
            if !name.starts_with("optimizer.") {
                tch::no_grad(|| tensor.copy_(self.get(&format!("initial.{name}"))));
            }
        }
        session
    }
}

fn assert_near(what: &str, found: &Tensor, expected: &Tensor) {
    let distance = (found - expected).norm().double_value(&[]) / expected.norm().double_value(&[]);
    assert!(
        distance <= TOLERANCE,
        "{what} is off by {distance:e} in relative L2 norm"
    );
}

#[test]
fn three_steps_are_those_of_pytorch() {
    let fixture = Fixture::load();
    let mut session = fixture.session();
    for step in 0..3 {
        let at = |name: &str| format!("step.{step}.{name}");
        session.step_on(fixture.get(&at("real")), fixture.get(&at("noise")));

        let figures = session.figures();
        for (name, found) in [("d_loss", figures.d_loss), ("g_loss", figures.g_loss)] {
            let expected = fixture.number(&at(name));
            assert!(
                (found / expected - 1.0).abs() <= TOLERANCE,
                "{name} of step {step}: {found}, not {expected}"
            );
        }
        let gradients = session.gradients();
        assert_eq!(gradients.len(), 14);
        for (name, gradient) in gradients {
            assert_near(
                &at(&format!("gradient.{name}")),
                gradient,
                fixture.get(&at(&format!("gradient.{name}"))),
            );
        }
        for (name, weight) in session
            .snapshot()
            .tensors
            .iter()
            .filter(|(name, _)| !name.starts_with("optimizer."))
        {
            assert_near(
                &at(&format!("weight.{name}")),
                weight,
                fixture.get(&at(&format!("weight.{name}"))),
            );
        }
    }
}
