//! The configuration of a run: its keys, where their values come from, and what is allowed.

mod change;
mod error;
mod keymap;
mod keys;
mod layers;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use change::{change_live, resolve_for_resume};
pub use error::ConfigError;
pub use keymap::keymap;
pub use keys::{Change, KEYS, Key, Kind};
pub use layers::{Origin, Request, Resolved, Setting, resolve};

/// Everything that decides how a run goes. Keys and meaning are documented in `config/default.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Name of the preset that this configuration started from.
    pub preset: String,
    /// `mnist`, or a folder of IDX files.
    pub data: String,
    /// `auto`, `cpu`, `cuda` or `cuda:N`; in a run's own file the device that was taken.
    pub device: String,
    /// Seed of weights, order, noise and pictures.
    pub seed: u64,
    /// CPU threads; 0 in a request means all that the process may use.
    pub threads: u32,
    /// Epochs to train.
    pub epochs: u64,
    /// Steps to train; 0 sets no limit.
    pub steps: u64,
    /// Minutes to train since the start of the program; 0 sets no limit.
    pub minutes: f64,
    /// Real images a step.
    pub batch_size: u64,
    /// Dimensions of the latent noise z.
    pub latent_dim: u64,
    /// Loss of the game.
    pub loss: Loss,
    /// The network that makes pictures.
    pub generator: Network,
    /// The network that judges them.
    pub discriminator: Network,
    /// What is reported and kept.
    pub output: Output,
}

/// A network and the Adam that trains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// What its layers are.
    pub architecture: Architecture,
    /// Widths of the hidden layers, input side first; of a DCGAN their channels.
    pub hidden: Vec<u64>,
    /// Activation after each hidden layer.
    pub activation: Activation,
    /// Slope of `leaky_relu` below zero.
    pub negative_slope: f64,
    /// What comes between a hidden layer and its activation; the generator's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Adam's decay rates β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
}

/// What the layers of a network are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Linear ones: a multi-layer perceptron.
    Mlp,
    /// Convolutions, each of which halves or doubles the side of a picture (Radford, Metz and Chintala 2016).
    Dcgan,
}

/// What comes between a hidden layer and its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// Nothing.
    #[serde(rename = "none")]
    Off,
    /// Batch normalisation (Ioffe and Szegedy 2015).
    #[serde(rename = "batch")]
    Batch,
}

/// Activation after a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// x above zero, `negative_slope`·x below
    LeakyRelu,
    /// hyperbolic tangent
    Tanh,
}

/// The loss that both networks play for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Binary cross-entropy, non-saturating for the generator (Goodfellow et al. 2014).
    Bce,
}

/// What a run reports and keeps, and how often. A cadence of 0 is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Seconds between reports.
    pub report_every_seconds: f64,
    /// Picture grids: after epoch 1 and every so many epochs.
    pub sample_every_epochs: u64,
    /// Picture grids: every so many steps.
    pub sample_every_steps: u64,
    /// Checkpoints: every so many epochs.
    pub checkpoint_every_epochs: u64,
    /// Checkpoints: every so many steps.
    pub checkpoint_every_steps: u64,
    /// The newest so many checkpoints stay.
    pub keep_checkpoints: u64,
}

/// A configuration that is compiled into the program.
pub struct Preset {
    /// Its name, as `--preset` takes it.
    pub name: &'static str,
    source: &'static str,
}

/// The presets, the default first.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "tutorial",
        source: include_str!("../../../config/tutorial.toml"),
    },
    Preset {
        name: "dcgan",
        source: include_str!("../../../config/dcgan.toml"),
    },
];

/// Every key with its default and its documentation.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

impl Preset {
    /// One line that says what the preset is.
    pub fn summary(&self) -> String {
        let table: toml::Table = self.source.parse().unwrap_or_default();
        table
            .get("summary")
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    /// The TOML file, with its comments.
    pub fn source(&self) -> &'static str {
        self.source
    }

    fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}

impl Config {
    /// Reads the resolved configuration that a run directory holds.
    ///
    /// Runs outlive rebuilds: keys that this build does not know are passed over, keys that the file lacks take
    /// their default.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text, path)
    }

    /// As [`Config::load`], from text; `path` is named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        layers::resolve_stored(text, path).map(|resolved| resolved.config)
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The value of a dotted key.
    pub fn value(&self, key: &str) -> Option<toml::Value> {
        let root = toml::Value::try_from(self).ok()?;
        key.split('.')
            .try_fold(root, |value, part| value.get(part).cloned())
    }

    /// Steps in an epoch over `images` images; the last, short batch counts.
    pub fn steps_per_epoch(&self, images: u64) -> u64 {
        images.div_ceil(self.batch_size.max(1)).max(1)
    }
}

/// Where the user's own configuration is read from.
pub fn user_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "sparring")
        .map(|dirs| dirs.config_dir().join("config.toml"))
}
