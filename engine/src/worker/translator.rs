//! A checkpoint's generator that makes pictures from pictures.

use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::run::CheckpointHeader;

use crate::device;
use crate::gan::{PictureSpec, Translator};
use crate::native::CudaSettings;
use crate::trainer::load_checkpoint;

/// Builds it on the device of this name, in full precision.
pub(super) fn translator(
    path: &Path,
    header: &CheckpointHeader,
    device: &str,
) -> anyhow::Result<Translator> {
    let device = device::choose(device, CudaSettings::default())?.device;
    let unreadable = || format!("cannot read {}", path.display());
    let state = load_checkpoint(path, header).with_context(unreadable)?;
    let spec = PictureSpec::new(&header.config, header.shape, &header.class_names);
    match Translator::new(&header.config, spec, &state, device).with_context(unreadable)? {
        Some(translator) => Ok(translator),
        None => bail!(
            "{} makes pictures from noise: sample it, or train with --task",
            path.display()
        ),
    }
}
