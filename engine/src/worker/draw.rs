//! Drawing pictures from a checkpoint, for whichever task needs them.

use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::run::CheckpointHeader;
use tch::Tensor;

use crate::gan::{Noise, Painter};
use crate::native;
use crate::trainer::load_checkpoint;

/// Noise is drawn, and pictures are sent, in batches of this many.
const BATCH: u64 = 256;

/// What pictures are drawn from.
pub(super) struct Drawn {
    /// Seed of the noise.
    pub(super) seed: u64,
    /// The class of all pictures; without one they take turns.
    pub(super) class: Option<u64>,
    /// The device, as the configuration names it.
    pub(super) device: String,
}

/// Draws pictures with a checkpoint's generator: batches of up to 256, `[n, channels, height, width]`, u8. The same seed
/// gives the same pictures, whatever they are drawn for.
pub(super) fn draw(
    path: &Path,
    header: &CheckpointHeader,
    count: u64,
    how: &Drawn,
) -> anyhow::Result<impl Iterator<Item = Tensor> + use<>> {
    let classes = header.config.classes;
    match how.class {
        Some(_) if classes == 0 => bail!(
            "{}: its networks were told of no classes: leave --class out, or train a preset that is, such as cgan",
            path.display()
        ),
        Some(class) if class >= classes => {
            bail!(
                "class {class}: {} has the classes 0 to {}",
                path.display(),
                classes - 1
            )
        }
        _ => {}
    }
    let device = native::device(&how.device)?;
    let unreadable = || format!("cannot read {}", path.display());
    let snapshot = load_checkpoint(path, header).with_context(unreadable)?;
    let painter =
        Painter::new(&header.config, header.shape, &snapshot, device).with_context(unreadable)?;
    let mut painter = painter.only(how.class);
    let mut noise = Noise::seeded(how.seed, header.config.latent_dim);
    let mut left = count;
    Ok(std::iter::from_fn(move || {
        let batch = left.min(BATCH);
        left -= batch;
        (batch > 0).then(|| painter.paint(&noise.draw(batch.cast_signed())))
    }))
}
