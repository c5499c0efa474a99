//! Whether networks fit the images that they are to play with.

use sparring_contract::config::{Architecture, Config, Network, Normalization, Precision};

use crate::data::Dataset;

/// Why networks do not fit the images. Each message names the key to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A side that cannot be halved so often.
    #[error(
        "{network}.hidden has {layers} layers, which with architecture = \"dcgan\" halve the pictures as often, and these are {height}x{width}: give it as many widths as both sides can be halved"
    )]
    Side {
        /// `generator` or `discriminator`.
        network: &'static str,
        /// Its hidden layers.
        layers: usize,
        /// Pixels down.
        height: i64,
        /// Pixels across.
        width: i64,
    },
    /// A step on a single picture, of which a batch norm learns nothing.
    #[error(
        "generator.normalization = \"batch\" needs two pictures a step or more, and with batch_size = {batch_size} of {images} images a step has one: choose another batch_size"
    )]
    Single {
        /// Real images a step.
        batch_size: u64,
        /// All of them.
        images: u64,
    },
    /// Classes of images that have no labels.
    #[error(
        "classes = {classes}, and the data has no labels: put a labels-idx1-ubyte file beside the images, or set classes to 0"
    )]
    Unlabelled {
        /// Classes of the configuration.
        classes: u64,
    },
    /// A device that has one precision.
    #[error(
        "precision = \"{0}\" is for CUDA devices, and this run is on the CPU: use --device cuda, or precision = \"float32\""
    )]
    Precision(&'static str),
    /// A label that is none of the classes.
    #[error("classes = {classes}, and the data has images labelled {highest}: set classes to {} or more", highest + 1)]
    Classes {
        /// Classes of the configuration.
        classes: u64,
        /// The highest label.
        highest: u64,
    },
}

/// Checks a configuration against the data.
pub fn fits(config: &Config, data: &Dataset) -> Result<(), Misfit> {
    match config.precision {
        Precision::Tf32 if !data.device().is_cuda() => return Err(Misfit::Precision("tf32")),
        Precision::Bfloat16 if !data.device().is_cuda() => {
            return Err(Misfit::Precision("bfloat16"));
        }
        _ => {}
    }
    let (shape, images) = (data.shape(), data.len());
    for (network, plan) in [
        ("generator", &config.generator),
        ("discriminator", &config.discriminator),
    ] {
        can_be_halved(network, plan, shape)?;
    }
    let batch_size = config.batch_size;
    let single = batch_size == 1 || images % batch_size == 1;
    if single && config.generator.normalization == Normalization::Batch {
        return Err(Misfit::Single { batch_size, images });
    }
    match (config.classes, data.highest_class()) {
        (0, _) => Ok(()),
        (classes, None) => Err(Misfit::Unlabelled { classes }),
        (classes, Some(highest)) if highest >= classes => Err(Misfit::Classes { classes, highest }),
        _ => Ok(()),
    }
}

fn can_be_halved(
    network: &'static str,
    plan: &Network,
    [_, height, width]: [i64; 3],
) -> Result<(), Misfit> {
    let layers = plan.hidden.len();
    let whole = |side: i64| (side.trailing_zeros() as usize) >= layers;
    if plan.architecture == Architecture::Dcgan && !(whole(height) && whole(width)) {
        return Err(Misfit::Side {
            network,
            layers,
            height,
            width,
        });
    }
    Ok(())
}
