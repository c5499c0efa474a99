//! The configuration of a run: its keys, where their values come from, and what is allowed.

mod change;
mod choice;
mod data;
mod error;
mod keymap;
mod keys;
mod layers;
mod origin;
mod stored;
mod task;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use change::{change_live, resolve_for_resume};
pub use choice::{DataFacts, choose_preset};
pub use data::{Background, Channels, DataSource, IMAGE_SIZES, MNIST};
pub use error::ConfigError;
pub use keymap::keymap;
pub use keys::{Change, KEYS, Key, Kind};
pub use layers::{Request, Resolved, Setting, resolve};
pub use origin::Origin;
pub use task::{Enlarge, LossWeights, Mask, Repair, TaskKind, Translate, TranslateFrom};

/// Everything that decides how a run goes. Keys and meaning are documented in `config/default.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Name of the preset that this configuration started from.
    pub preset: String,
    /// `mnist`, or a folder or file: IDX, pictures, `.npz`, `.npy`, or a sprite sheet.
    pub data: String,
    /// Side of the pictures in pixels, one of [`IMAGE_SIZES`]; 0 chooses it from the data.
    pub image_size: u32,
    /// Grey or colour.
    pub channels: Channels,
    /// What lies behind transparent pixels.
    pub background: Background,
    /// Side of a sprite sheet's tiles in pixels; 0 if the data is no sprite sheet.
    pub tile: u32,
    /// Share of the pictures held out for testing, where the data has no test split.
    pub test_fraction: f64,
    /// Seed of the choice of those pictures.
    pub test_seed: u64,
    /// What the generator learns.
    #[serde(default)]
    pub task: TaskKind,
    /// For [`TaskKind::Repair`].
    #[serde(default)]
    pub repair: Repair,
    /// For [`TaskKind::Enlarge`].
    #[serde(default)]
    pub enlarge: Enlarge,
    /// For [`TaskKind::Translate`].
    #[serde(default)]
    pub translate: Translate,
    /// `auto`, `cpu`, `cuda` or `cuda:N`; in a run's own file the device that was taken.
    pub device: String,
    /// Seed of weights, order, noise and pictures.
    pub seed: u64,
    /// CPU threads; in a request 0 means all that the process may use.
    pub threads: u32,
    /// Precision of products and convolutions.
    pub precision: Precision,
    /// Whether every operation on a CUDA device gives the same bits each time.
    #[serde(default)]
    pub deterministic: bool,
    /// Whether the operations of a step on a CUDA device are recorded and made by one call.
    #[serde(default = "enabled")]
    pub cuda_graphs: bool,
    /// Epochs to train.
    pub epochs: u64,
    /// Steps to train; 0 sets no limit.
    pub steps: u64,
    /// Minutes to train since the start of the program; 0 sets no limit.
    pub minutes: f64,
    /// Real images per step.
    pub batch_size: u64,
    /// Length of the noise vector z.
    pub latent_dim: u64,
    /// Whether both networks are told the class.
    pub conditional: bool,
    /// Adversarial loss.
    pub loss: Loss,
    /// For tasks from picture to picture: what the generator's loss is made of.
    #[serde(default)]
    pub loss_weights: LossWeights,
    /// For [`Loss::Bce`]: the target for real images is 1 minus this.
    pub label_smoothing: f64,
    /// Standard deviation of the noise on everything that the discriminator sees.
    pub instance_noise: f64,
    /// Steps over which that noise fades; 0: it stays.
    pub instance_noise_steps: u64,
    /// How much the pictures that the discriminator sees are sharpened.
    pub sharpening: f64,
    /// Times that the discriminator learns per step, each from other images.
    pub discriminator_steps: u64,
    /// Times that the generator learns per step.
    pub generator_steps: u64,
    /// How the learning rates of both networks change.
    pub schedule: Schedule,
    /// Steps over which they change.
    pub schedule_steps: u64,
    /// Final learning rate, as a fraction of the initial one.
    pub schedule_floor: f64,
    /// Decay of the moving average of the generator, which draws the pictures; 0: no average.
    pub ema_decay: f64,
    /// Penalties on the gradient of the discriminator.
    pub penalty: Penalty,
    /// How the pictures that the discriminator sees are changed.
    pub augment: Augment,
    /// The network that makes pictures.
    pub generator: Network,
    /// The network that tells real pictures from fakes.
    pub discriminator: Network,
    /// What is reported and kept.
    pub output: Output,
    /// Health checks.
    pub health: HealthChecks,
}

/// What a switch is where nothing is said.
const fn enabled() -> bool {
    true
}

/// A network and the Adam that trains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Kind of its layers.
    pub architecture: Architecture,
    /// Widths of the hidden layers, input side first; for a DCGAN their channels, for a residual network those of each
    /// resolution, for a U-Net those of each resolution on the way down. Convolutional networks add layers for larger
    /// pictures.
    pub hidden: Vec<u64>,
    /// For a residual network: blocks at each resolution.
    pub blocks: u64,
    /// For a residual network: channels within a block, as a multiple of those outside.
    pub expansion: u64,
    /// For a residual network: channels in a group of a block's 3×3 convolution.
    pub group_width: u64,
    /// For a residual network: the pixels along a side of the picture, 1 or 2, for one at the largest resolution of its
    /// blocks.
    pub patch_size: u64,
    /// Activation after each hidden layer.
    pub activation: Activation,
    /// Slope of `leaky_relu` below zero.
    pub negative_slope: f64,
    /// Normalisation of its layers.
    pub normalization: Normalization,
    /// Share of the outputs of each hidden layer that dropout sets to zero; only for the discriminator.
    #[serde(default)]
    pub dropout: f64,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Adam's decay rates β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
}

impl Network {
    /// How often its `hidden` layers halve or double the side of a picture.
    pub fn halvings(&self) -> usize {
        match self.architecture {
            Architecture::Mlp => 0,
            Architecture::Dcgan => self.hidden.len(),
            Architecture::Unet => self.hidden.len().saturating_sub(1),
            Architecture::Resnet => {
                let after_the_first = self.hidden.len().saturating_sub(1);
                after_the_first + usize::from(self.patch_size > 1)
            }
        }
    }
}

/// The kind of a network's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Linear layers: a multi-layer perceptron.
    Mlp,
    /// Convolutions that halve or double the side of the picture (Radford, Metz and Chintala 2016).
    Dcgan,
    /// Residual blocks without normalisation (Huang et al. 2024).
    Resnet,
    /// Picture to picture, with connections that skip the smaller resolutions (Ronneberger, Fischer and Brox 2015); only
    /// for the generator.
    Unet,
}

impl Architecture {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::Dcgan => "dcgan",
            Self::Resnet => "resnet",
            Self::Unet => "unet",
        }
    }
}

/// Normalisation of a network's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// Nothing.
    #[serde(rename = "none")]
    Off,
    /// Batch normalisation between a hidden layer and its activation (Ioffe and Szegedy 2015); only for the generator.
    #[serde(rename = "batch")]
    Batch,
    /// Spectral normalisation of the weights (Miyato et al. 2018); only for the discriminator.
    #[serde(rename = "spectral")]
    Spectral,
}

/// Penalties on the gradient of the discriminator's logits with respect to the pictures; 0 turns one off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// γ of R1: γ/2 times the mean of the squared norm at real images (Mescheder, Geiger and Nowozin 2018).
    pub r1: f64,
    /// The same for R2, at fakes.
    pub r2: f64,
    /// λ of WGAN-GP: λ times the mean of (norm − 1)² between real images and fakes (Gulrajani et al. 2017).
    pub wgan_gp: f64,
    /// Applied every N steps, scaled by N.
    pub lazy_interval: u64,
}

/// How the pictures that the discriminator sees are changed, real and fake alike. Differentiable augmentation (Zhao et
/// al. 2020) lets small data sets train for longer before the discriminator knows them by heart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Each picture is shifted by up to this share of a side.
    pub translation: f64,
    /// A square whose side is this share of the picture's becomes grey.
    pub cutout: f64,
    /// How much brightness, saturation and contrast change: 1 is as in the paper.
    pub color: f64,
    /// Whether real pictures are mirrored left to right, each with a probability of one half.
    pub flip: bool,
}

/// How learning rates change over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// They do not.
    Constant,
    /// Linearly.
    Linear,
    /// Along half a period of a cosine (Loshchilov and Hutter 2017).
    Cosine,
}

/// Precision of products and convolutions. Weights, moments and losses are f32 in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits of mantissa.
    Float32,
    /// 11 bits of mantissa within the tensor cores of a CUDA device.
    Tf32,
    /// 8 bits of mantissa: on a CUDA device inputs and outputs are bfloat16 (autocast), on a processor with AVX512-BF16 the
    /// inputs of products.
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

/// The adversarial loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Binary cross-entropy, non-saturating for the generator (Goodfellow et al. 2014).
    Bce,
    /// Hinge (Lim and Ye 2017).
    Hinge,
    /// Least squares (Mao et al. 2017).
    LeastSquares,
    /// Wasserstein (Arjovsky, Chintala and Bottou 2017); needs a gradient penalty.
    Wasserstein,
    /// Compares each real image with a fake (Jolicoeur-Martineau 2019; Huang et al. 2024).
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

const fn preset(name: &'static str, source: &'static str) -> Preset {
    Preset { name, source }
}

/// The presets, the default first.
pub const PRESETS: &[Preset] = &[
    preset("r3", include_str!("../../../config/r3.toml")),
    preset("cgan", include_str!("../../../config/cgan.toml")),
    preset("tutorial", include_str!("../../../config/tutorial.toml")),
    preset("mlp", include_str!("../../../config/mlp.toml")),
    preset("dcgan", include_str!("../../../config/dcgan.toml")),
    preset("cdcgan", include_str!("../../../config/cdcgan.toml")),
    preset("resnet", include_str!("../../../config/resnet.toml")),
    preset("few", include_str!("../../../config/few.toml")),
    preset(
        "resnet-large",
        include_str!("../../../config/resnet-large.toml"),
    ),
    preset("pix2pix", include_str!("../../../config/pix2pix.toml")),
    preset(
        "pix2pix-large",
        include_str!("../../../config/pix2pix-large.toml"),
    ),
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
    /// The keys that decide what is loaded.
    pub fn data_source(&self) -> DataSource {
        let from = (self.task == TaskKind::Translate).then_some(self.translate.from);
        DataSource {
            data: self.data.clone(),
            image_size: self.image_size,
            channels: self.channels,
            background: self.background,
            tile: self.tile,
            test_fraction: self.test_fraction,
            test_seed: self.test_seed,
            pairs: from == Some(TranslateFrom::Pairs),
            domains: match from {
                Some(TranslateFrom::Unpaired) => self.translate.domains.clone(),
                _ => Vec::new(),
            },
        }
    }
}

/// Where the user's own configuration is read from.
pub fn user_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "sparring")
        .map(|dirs| dirs.config_dir().join("config.toml"))
}
