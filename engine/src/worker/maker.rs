//! What makes pictures from pictures by what a checkpoint has learnt.

use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::config::Mask;
use sparring_contract::run::CheckpointHeader;
use tch::Tensor;

use crate::data::Degradation;
use crate::device;
use crate::gan::{PictureSpec, Translator, trained_discriminator, trained_generator};
use crate::latent::{Critic, LatentRepair, LatentSpace};
use crate::native::CudaSettings;
use crate::trainer::load_checkpoint;

/// What makes pictures from pictures.
pub(super) enum Maker {
    /// A generator that was trained for it.
    Trained(Translator),
    /// A generator that was not, and whose latent space is searched.
    Searching(LatentRepair),
}

impl Maker {
    /// Builds it on the device of this name, in full precision. A generator that makes pictures from noise needs a mask.
    pub(super) fn load(
        path: &Path,
        header: &CheckpointHeader,
        device: &str,
        mask: Option<Mask>,
    ) -> anyhow::Result<Self> {
        let config = &header.config;
        let device = device::choose(device, CudaSettings::default())?.device;
        let unreadable = || format!("cannot read {}", path.display());
        let state = load_checkpoint(path, header).with_context(unreadable)?;
        let spec = PictureSpec::new(config, header.shape, &header.class_names);
        if let Some(translator) =
            Translator::new(config, spec, &state, device).with_context(unreadable)?
        {
            return Ok(Self::Trained(translator));
        }
        let Some(mask) = mask else {
            bail!(
                "{} makes pictures from noise; to repair with it, say what is missing: --mask centre, half, strokes, \
                 random, mixed or a picture",
                path.display()
            );
        };
        let generator = trained_generator(config, spec, &state, device).with_context(unreadable)?;
        let discriminator =
            trained_discriminator(config, spec, &state, device).with_context(unreadable)?;
        let latent_dim = config.latent_dim.cast_signed();
        let space = LatentSpace::new(generator, latent_dim, spec.num_classes);
        let critic = Critic {
            discriminator,
            sharpening: config.sharpening,
        };
        Ok(Self::Searching(LatentRepair::new(space, critic, mask)))
    }

    /// What it makes pictures from.
    pub(super) fn degradation(&self) -> Degradation {
        match self {
            Self::Trained(translator) => translator.degradation(),
            Self::Searching(repair) => repair.degradation(),
        }
    }

    /// Whether each picture takes a search.
    pub(super) fn is_searching(&self) -> bool {
        matches!(self, Self::Searching(_))
    }

    /// Whether it makes several different pictures of one condition.
    pub(super) fn has_noise(&self) -> bool {
        match self {
            Self::Trained(translator) => translator.has_noise(),
            Self::Searching(_) => true,
        }
    }

    /// Pictures `[n, channels, h, w]`, u8, on the CPU, from conditions `[n, …, h, w]` in [-1, 1]. May draw from libtorch's
    /// generator.
    pub(super) fn make(&self, conditions: &Tensor) -> Tensor {
        match self {
            Self::Trained(translator) => translator.translate(conditions),
            Self::Searching(repair) => repair.repair(conditions),
        }
    }
}
