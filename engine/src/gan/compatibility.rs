//! Whether a configuration fits the images that it is to be trained on.

use sparring_contract::config::{Architecture, Config, Network, Normalization, Precision};

use crate::data::Dataset;

/// Why a configuration does not fit the images. Each message names the key to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompatibilityError {
    /// A side cannot be halved as often as there are hidden layers.
    #[error(
        "{network}.hidden has {layers} layers, which with architecture = \"dcgan\" halve the pictures as often, and these are {height}x{width}: give it as many widths as both sides can be halved"
    )]
    Side {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// Its hidden layers.
        layers: usize,
        /// In pixels.
        height: i64,
        /// In pixels.
        width: i64,
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
    /// The device has one precision only.
    #[error(
        "precision = \"{0}\" is for CUDA devices, and this run is on the CPU: use --device cuda, or precision = \"float32\""
    )]
    Precision(&'static str),
}

/// Checks a configuration against the data.
pub fn check_compatibility(config: &Config, data: &Dataset) -> Result<(), CompatibilityError> {
    if !data.device().is_cuda() {
        match config.precision {
            Precision::Float32 => {}
            Precision::Tf32 => return Err(CompatibilityError::Precision("tf32")),
            Precision::Bfloat16 => return Err(CompatibilityError::Precision("bfloat16")),
        }
    }
    for (network, plan) in [
        ("generator", &config.generator),
        ("discriminator", &config.discriminator),
    ] {
        check_halvings(network, plan, data.shape())?;
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

fn check_halvings(
    network: &'static str,
    plan: &Network,
    [_, height, width]: [i64; 3],
) -> Result<(), CompatibilityError> {
    let layers = plan.hidden.len();
    let can_be_halved = |side: i64| (side.trailing_zeros() as usize) >= layers;
    if plan.architecture == Architecture::Dcgan && !(can_be_halved(height) && can_be_halved(width))
    {
        return Err(CompatibilityError::Side {
            network,
            layers,
            height,
            width,
        });
    }
    Ok(())
}
