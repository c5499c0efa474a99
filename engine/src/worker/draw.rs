//! Draws pictures from a checkpoint's generator.

use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::protocol::Truncation;
use sparring_contract::run::CheckpointHeader;
use tch::Tensor;

use crate::device;
use crate::gan::{Classes, Noise, PictureSpec, Sampler};
use crate::native::CudaSettings;
use crate::trainer::load_checkpoint;

/// Pictures whose noise is drawn at once, and that the generator makes at once.
///
/// Part of what a seed means: `torch.randn` gives other numbers for another size.
pub(super) const BATCH: u64 = 256;

/// What to draw.
pub(super) struct Draw {
    /// How many pictures the whole draw has.
    pub(super) count: u64,
    /// The first one that is wanted, from 0.
    pub(super) first: u64,
    /// Seed of the noise.
    pub(super) seed: u64,
    /// What is done to it.
    pub(super) truncation: Truncation,
    /// The classes of the pictures of a conditional generator.
    pub(super) classes: Classes,
    /// The configuration's name of a device.
    pub(super) device: String,
}

/// Pictures of one batch.
pub(super) struct Batch {
    /// `[n, channels, height, width]`, u8, on the generator's device.
    pub(super) pictures: Tensor,
    /// The class asked of each, i64 `[n]`; `None` for a generator without classes.
    pub(super) classes: Option<Tensor>,
}

impl Batch {
    /// `count` of the pictures, from number `first` on.
    pub(super) fn narrow(&self, first: i64, count: i64) -> Self {
        let part = |tensor: &Tensor| tensor.narrow(0, first, count);
        Self {
            pictures: part(&self.pictures),
            classes: self.classes.as_ref().map(part),
        }
    }
}

/// Draws pictures in batches of up to [`BATCH`]. The same seed and count give the same pictures, wherever the draw
/// begins: noise and batches are those of the whole draw, and what comes before the first picture is thrown away.
pub(super) fn draw(
    path: &Path,
    header: &CheckpointHeader,
    how: Draw,
) -> anyhow::Result<impl Iterator<Item = Batch> + use<>> {
    let task = header.config.task;
    if task.is_image_to_image() {
        bail!(
            "{} makes pictures from pictures: use `sparring {}`",
            path.display(),
            task.name()
        );
    }
    check_classes(path, header, &how.classes)?;
    // In full precision, whatever the training was in.
    let device = device::choose(&how.device, CudaSettings::default())?.device;
    let unreadable = || format!("cannot read {}", path.display());
    let state = load_checkpoint(path, header).with_context(unreadable)?;
    let spec = PictureSpec::new(&header.config, header.shape, &header.class_names);
    let sampler = Sampler::new(&header.config, spec, &state, device).with_context(unreadable)?;
    let mut sampler = sampler.of(how.classes);
    let mut noise = Noise::seeded(how.seed, header.config.latent_dim).truncated(how.truncation);
    let first_batch = how.first.min(how.count) / BATCH;
    for _ in 0..first_batch {
        drop(noise.draw(BATCH.cast_signed()));
    }
    let mut at = first_batch * BATCH;
    sampler.skip(at.cast_signed());

    let (count, first) = (how.count, how.first);
    Ok(std::iter::from_fn(move || {
        let size = (count - at).min(BATCH).cast_signed();
        let unwanted = first.saturating_sub(at).cast_signed();
        if size <= unwanted {
            return None;
        }
        at += BATCH.min(count - at);
        let classes = sampler.next_classes(size);
        let pictures = sampler.sample(&noise.draw(size));
        Some(Batch { pictures, classes }.narrow(unwanted, size - unwanted))
    }))
}

fn check_classes(path: &Path, header: &CheckpointHeader, classes: &Classes) -> anyhow::Result<()> {
    match (classes, header.num_classes()) {
        (Classes::Only(_), 0) => bail!(
            "{} is unconditional: drop --class, or train a conditional preset such as cgan",
            path.display()
        ),
        (Classes::Only(class), count) if *class >= count => bail!(
            "{} has no class {class}, only 0 to {}",
            path.display(),
            count - 1
        ),
        _ => Ok(()),
    }
}
