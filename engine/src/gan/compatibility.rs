//! Whether a configuration fits the images that it is to be trained on.

use sparring_contract::config::{
    Architecture, Config, Network, Normalization, Precision, TaskKind, TranslateFrom,
};

use crate::data::Dataset;
use crate::native::rounds_fast;

/// Why a configuration does not fit the images. Each message names the key to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompatibilityError {
    /// A side cannot be halved as often as the hidden layers do.
    #[error(
        "{network}.hidden has {layers} widths, which halve the pictures {halvings} times, and these are {height}x{width}: give it fewer widths, so that both sides can be halved as often"
    )]
    Side {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// Its hidden layers.
        layers: usize,
        /// How often they halve a side.
        halvings: usize,
        /// In pixels.
        height: i64,
        /// In pixels.
        width: i64,
    },
    /// A residual network without a width has no channels.
    #[error(
        "{network}.hidden is empty: architecture = \"{architecture}\" needs a width for each resolution"
    )]
    NoStages {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// Its architecture.
        architecture: &'static str,
    },
    /// The channels of a residual block cannot be divided into its groups.
    #[error(
        "{network}.hidden has the width {width}, and {expansion} times that cannot be divided into groups of {group_width}: change {network}.group_width or the width"
    )]
    Groups {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// The width.
        width: u64,
        /// `expansion`
        expansion: u64,
        /// `group_width`
        group_width: u64,
    },
    /// A residual network has neither norms nor dropout.
    #[error(
        "{network}.{key} is set, and architecture = \"{architecture}\" has no place for it: take it out, or choose another architecture"
    )]
    NotInResnet {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// Its architecture.
        architecture: &'static str,
        /// `normalization` or `dropout`.
        key: &'static str,
    },
    /// A batch of one picture has no variance.
    #[error(
        "generator.normalization = \"batch\" needs two pictures a step or more, and with batch_size = {batch_size} of {images} images a step has one: choose another batch_size"
    )]
    SinglePicture {
        /// Real images per step.
        batch_size: u64,
        /// All real images.
        images: u64,
    },
    /// The images have no labels.
    #[error(
        "conditional = true needs labels, and the data has none: add a labels-idx1-ubyte file beside the images, or set conditional = false"
    )]
    Unlabelled,
    /// Pictures are made from noise by one kind of network and from pictures by another.
    #[error(
        "task = \"{task}\" needs generator.architecture = \"{needed}\", and it is \"{found}\": choose another preset"
    )]
    Generator {
        /// `task`
        task: &'static str,
        /// What would do.
        needed: &'static str,
        /// `generator.architecture`
        found: &'static str,
    },
    /// A key that a task has no use for.
    #[error("task = \"{task}\" has no place for {key}: take it out")]
    NotInTask {
        /// `task`
        task: &'static str,
        /// The key and its value.
        key: &'static str,
    },
    /// The generator's noise has no numbers.
    #[error("latent_dim = 0 leaves the generator without noise: {0}")]
    NoNoise(&'static str),
    /// A side is no multiple of the factor.
    #[error(
        "enlarge.factor = {factor} needs sides that it divides, and the pictures are {height}x{width}: choose another image_size"
    )]
    Factor {
        /// `enlarge.factor`
        factor: u32,
        /// In pixels.
        height: i64,
        /// In pixels.
        width: i64,
    },
    /// Grey pictures have no colours to lose.
    #[error(
        "translate.from = \"grey\" needs pictures in colour, and the data is grey: choose another translate.from"
    )]
    AlreadyGrey,
    /// The data has no pairs.
    #[error(
        "translate.from = \"pairs\" needs a folder with a/ and b/, and the data is another: give it with --pairs"
    )]
    NoPairs,
    /// The data has no two domains.
    #[error(
        "translate.from = \"unpaired\" needs two domains in translate.domains: two classes of the data, or two folders; give them with --unpaired"
    )]
    NoDomains,
    /// A picture alone has no picture of the other domain beside it.
    #[error(
        "translate.from = \"unpaired\" needs two pictures a step or more, one of each domain, and batch_size = 1: choose another batch_size"
    )]
    NoOpposite,
    /// All terms of the generator's loss have a weight of 0.
    #[error(
        "loss_weights.adversarial and loss_weights.{other} are 0, so the generator has nothing to learn: set one of them to more"
    )]
    NothingToLearn {
        /// The other term of the task.
        other: &'static str,
    },
    /// TF32 is NVIDIA's.
    #[error(
        "precision = \"tf32\" is for CUDA devices, and this run is on the CPU: use --device cuda, or precision = \"float32\""
    )]
    Tf32,
    /// The processor gains nothing from bfloat16.
    #[error(
        "precision = \"bfloat16\" needs a CUDA device or a processor with AVX512-BF16, which this one lacks: use precision = \"float32\""
    )]
    Bfloat16,
}

/// Checks a configuration against the data.
pub fn check_compatibility(config: &Config, data: &Dataset) -> Result<(), CompatibilityError> {
    if !data.device().is_cuda() {
        match config.precision {
            Precision::Float32 => {}
            Precision::Bfloat16 if rounds_fast() => {}
            Precision::Tf32 => return Err(CompatibilityError::Tf32),
            Precision::Bfloat16 => return Err(CompatibilityError::Bfloat16),
        }
    }
    check_task(config, data)?;
    for (network, plan) in [
        ("generator", &config.generator),
        ("discriminator", &config.discriminator),
    ] {
        check_halvings(network, plan, data.shape())?;
        check_residual(network, plan)?;
    }
    let (batch_size, images) = (config.batch_size, data.len());
    let single = batch_size == 1 || images % batch_size == 1;
    if single && config.generator.normalization == Normalization::Batch {
        return Err(CompatibilityError::SinglePicture { batch_size, images });
    }
    if config.conditional && data.class_names().is_empty() {
        return Err(CompatibilityError::Unlabelled);
    }
    Ok(())
}

fn check_task(config: &Config, data: &Dataset) -> Result<(), CompatibilityError> {
    let task = config.task.name();
    let architecture = config.generator.architecture;
    let (fits, needed) = if config.task.is_image_to_image() {
        (architecture == Architecture::Unet, "unet")
    } else {
        let needed = "mlp\", \"dcgan\" or \"resnet";
        (architecture != Architecture::Unet, needed)
    };
    if !fits {
        return Err(CompatibilityError::Generator {
            task,
            needed,
            found: architecture.name(),
        });
    }
    let unused = [
        ("conditional = true", config.conditional),
        ("augment.color", config.augment.color > 0.0),
    ];
    if let Some((key, _)) = unused.into_iter().find(|(_, is_set)| *is_set)
        && config.task.is_image_to_image()
    {
        return Err(CompatibilityError::NotInTask { task, key });
    }
    let is_unpaired =
        config.task == TaskKind::Translate && config.translate.from == TranslateFrom::Unpaired;
    if is_unpaired {
        check_domains(config)?;
    }
    let weights = config.loss_weights;
    let (other, weight) = if is_unpaired {
        ("cycle", weights.cycle)
    } else {
        ("l1", weights.l1)
    };
    if config.task.is_image_to_image() && weights.adversarial + weight == 0.0 {
        return Err(CompatibilityError::NothingToLearn { other });
    }
    if config.latent_dim == 0 && config.task == TaskKind::Generate {
        return Err(CompatibilityError::NoNoise("set it to 1 or more"));
    }
    if config.latent_dim == 0 && config.loss_weights.diversity > 0.0 {
        return Err(CompatibilityError::NoNoise(
            "set it to 1 or more, or loss_weights.diversity = 0",
        ));
    }
    let [channels, height, width] = data.shape();
    let factor = config.enlarge.factor;
    match config.task {
        TaskKind::Enlarge
            if [height, width]
                .iter()
                .any(|side| side % i64::from(factor) != 0) =>
        {
            Err(CompatibilityError::Factor {
                factor,
                height,
                width,
            })
        }
        TaskKind::Translate => match config.translate.from {
            TranslateFrom::Grey if channels == 1 => Err(CompatibilityError::AlreadyGrey),
            TranslateFrom::Pairs if !data.has_partners() => Err(CompatibilityError::NoPairs),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks what only a translation without pairs needs.
fn check_domains(config: &Config) -> Result<(), CompatibilityError> {
    if config.translate.domains.is_empty() {
        return Err(CompatibilityError::NoDomains);
    }
    if config.loss_weights.diversity > 0.0 {
        return Err(CompatibilityError::NotInTask {
            task: config.task.name(),
            key: "loss_weights.diversity without pairs",
        });
    }
    if config.batch_size < 2 {
        return Err(CompatibilityError::NoOpposite);
    }
    Ok(())
}

fn check_halvings(
    network: &'static str,
    plan: &Network,
    [_, height, width]: [i64; 3],
) -> Result<(), CompatibilityError> {
    let halvings = plan.halvings();
    let can_be_halved = |side: i64| (side.trailing_zeros() as usize) >= halvings;
    if can_be_halved(height) && can_be_halved(width) {
        return Ok(());
    }
    Err(CompatibilityError::Side {
        network,
        layers: plan.hidden.len(),
        halvings,
        height,
        width,
    })
}

fn check_residual(network: &'static str, plan: &Network) -> Result<(), CompatibilityError> {
    if !matches!(plan.architecture, Architecture::Resnet | Architecture::Unet) {
        return Ok(());
    }
    let architecture = plan.architecture.name();
    if plan.hidden.is_empty() {
        return Err(CompatibilityError::NoStages {
            network,
            architecture,
        });
    }
    let unused = [
        ("normalization", plan.normalization != Normalization::Off),
        ("dropout", plan.dropout > 0.0),
    ];
    if let Some((key, _)) = unused.into_iter().find(|(_, is_set)| *is_set) {
        return Err(CompatibilityError::NotInResnet {
            network,
            architecture,
            key,
        });
    }
    // Layers that larger pictures add are multiples of these widths.
    let uneven = |width: &&u64| !(*width * plan.expansion).is_multiple_of(plan.group_width);
    match plan.hidden.iter().find(uneven) {
        None => Ok(()),
        Some(width) => Err(CompatibilityError::Groups {
            network,
            width: *width,
            expansion: plan.expansion,
            group_width: plan.group_width,
        }),
    }
}
