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
    /// What a CUDA device multiplies in.
    pub precision: Precision,
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
    /// Classes that both networks are told of; 0 if none.
    pub classes: u64,
    /// Loss of the game.
    pub loss: Loss,
    /// What «real» is short of a probability of 1, for [`Loss::Bce`].
    pub label_smoothing: f64,
    /// Standard deviation of the noise on the pictures that the discriminator sees.
    pub instance_noise: f64,
    /// Steps over which that noise fades; 0: never.
    pub instance_noise_steps: u64,
    /// How far the pictures that the discriminator sees are shifted, of their side.
    pub augment_translation: f64,
    /// How much stronger the discriminator sees what sets a pixel off from its neighbours.
    pub sharpening: f64,
    /// Times that the discriminator learns in a step, each from other images.
    pub discriminator_steps: u64,
    /// Times that the generator learns in a step.
    pub generator_steps: u64,
    /// How the learning rates of both networks change.
    pub schedule: Schedule,
    /// Steps over which they do.
    pub schedule_steps: u64,
    /// What they come to, of what they were.
    pub schedule_floor: f64,
    /// Decay of the moving average of the generator, which draws the pictures; 0: the generator itself draws them.
    pub ema_decay: f64,
    /// Penalties on the gradients of the discriminator.
    pub penalty: Penalty,
    /// The network that makes pictures.
    pub generator: Network,
    /// The network that judges them.
    pub discriminator: Network,
    /// What is reported and kept.
    pub output: Output,
    /// Health checks.
    pub health: HealthChecks,
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
    /// What keeps its layers in bounds.
    pub normalization: Normalization,
    /// Share of the outputs of each hidden layer that are dropped while it learns; the discriminator's alone.
    #[serde(default)]
    pub dropout: f64,
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

/// What keeps the layers of a network in bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// Nothing.
    #[serde(rename = "none")]
    Off,
    /// Batch normalisation between a hidden layer and its activation (Ioffe and Szegedy 2015); the generator's alone.
    #[serde(rename = "batch")]
    Batch,
    /// Spectral normalisation of the weights (Miyato et al. 2018); the discriminator's alone.
    #[serde(rename = "spectral")]
    Spectral,
}

/// Penalties on the gradients of the discriminator's logits by the pictures; 0 turns one off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// γ of R1: γ/2 times the mean of the squared norm at real images (Mescheder, Geiger and Nowozin 2018).
    pub r1: f64,
    /// The same at fakes.
    pub r2: f64,
    /// λ of WGAN-GP: λ times the mean of (norm − 1)² between real images and fakes (Gulrajani et al. 2017).
    pub gradient: f64,
    /// They are taken every so many steps, so many times as strong.
    pub every: u64,
}

/// How learning rates change over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Along a line.
    Linear,
    /// Along half a wave of the cosine (Loshchilov and Hutter 2017).
    Cosine,
}

/// What a CUDA device multiplies in; weights, their moments and all sums are f32 in each. A CPU has [`Precision::Float32`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits of mantissa.
    Float32,
    /// 11 bits, in the tensor cores, of numbers that are f32 before and after.
    Tf32,
    /// 8 bits: products and convolutions of a step take and give bfloat16 (autocast).
    Bfloat16,
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
    /// Hinge (Lim and Ye 2017).
    Hinge,
    /// Least squares (Mao et al. 2017).
    LeastSquares,
    /// The critic's of a Wasserstein GAN (Arjovsky, Chintala and Bottou 2017); wants a gradient penalty.
    Wasserstein,
    /// Each real image against a fake (Jolicoeur-Martineau 2019; Huang et al. 2024).
    Relativistic,
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

/// Health checks while a run trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthChecks {
    /// Fraction of the time that health checks may take, 0 to 1; 0 turns them off.
    pub time_fraction: f64,
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
        name: "r3",
        source: include_str!("../../../config/r3.toml"),
    },
    Preset {
        name: "cgan",
        source: include_str!("../../../config/cgan.toml"),
    },
    Preset {
        name: "tutorial",
        source: include_str!("../../../config/tutorial.toml"),
    },
    Preset {
        name: "mlp",
        source: include_str!("../../../config/mlp.toml"),
    },
    Preset {
        name: "dcgan",
        source: include_str!("../../../config/dcgan.toml"),
    },
    Preset {
        name: "cdcgan",
        source: include_str!("../../../config/cdcgan.toml"),
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
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        to_toml(self)
    }

    /// The value of a dotted key.
    pub fn value(&self, key: &str) -> Option<toml::Value> {
        let root = toml::Value::try_from(self).ok()?;
        key.split('.')
            .try_fold(root, |value, part| value.get(part).cloned())
    }
}

/// Where the user's own configuration is read from.
pub fn user_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "sparring")
        .map(|dirs| dirs.config_dir().join("config.toml"))
}

fn to_toml(value: &impl Serialize) -> Result<String, ConfigError> {
    toml::to_string(value).map_err(|error| ConfigError::Unwritable {
        message: error.to_string().trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::to_toml;

    #[test]
    fn what_toml_cannot_express_is_an_error_and_not_an_empty_file() {
        let message = to_toml(&Some(())).unwrap_err().to_string();
        assert!(
            message.starts_with("cannot write the configuration as TOML: "),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
