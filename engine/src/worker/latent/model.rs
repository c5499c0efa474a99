//! A generator whose latent space is looked at.

use std::cell::OnceCell;

use anyhow::{Context as _, bail};
use sparring_contract::protocol::{LatentNoise, LatentPoint, LatentTask, Pictures, Purpose};
use sparring_contract::run::CheckpointHeader;
use tch::{Kind, Tensor};

use crate::data::{DataBundle, MNIST_FINGERPRINT};
use crate::device;
use crate::eval::{Judge, judges};
use crate::gan::{PictureSpec, trained_generator};
use crate::latent::{Direction, LatentSpace};
use crate::native::CudaSettings;
use crate::trainer::{load_checkpoint, pictures};

/// A generator and what is known of it.
pub(super) struct Model {
    pub(super) header: CheckpointHeader,
    pub(super) space: LatentSpace,
    /// Looked for when it is first needed.
    judge: OnceCell<Option<Judge>>,
    /// Measured when they are first needed.
    pub(super) directions: OnceCell<Vec<Direction>>,
}

impl Model {
    pub(super) fn load(task: &LatentTask) -> anyhow::Result<Self> {
        let path = &task.checkpoint;
        let header = CheckpointHeader::read_intact(path)?;
        let learnt = header.config.task;
        if learnt.is_image_to_image() {
            bail!(
                "{} makes pictures from pictures, and has no latent space to look at: use `sparring {}`",
                path.display(),
                learnt.name()
            );
        }
        let device = device::choose(&task.device, CudaSettings::default())?.device;
        let unreadable = || format!("cannot read {}", path.display());
        let state = load_checkpoint(path, &header).with_context(unreadable)?;
        let spec = PictureSpec::new(&header.config, header.shape, &header.class_names);
        let generator =
            trained_generator(&header.config, spec, &state, device).with_context(unreadable)?;
        let latent_dim = header.config.latent_dim.cast_signed();
        Ok(Self {
            space: LatentSpace::new(generator, latent_dim, spec.num_classes),
            header,
            judge: OnceCell::new(),
            directions: OnceCell::new(),
        })
    }

    /// The judge of the data that the generator learnt from, if it has one that can be found.
    pub(super) fn judge(&self) -> Option<&Judge> {
        let config = &self.header.config;
        let find = || {
            let fingerprint = if config.data == "mnist" {
                MNIST_FINGERPRINT.to_owned()
            } else {
                let bundle = DataBundle::load(&config.data_source(), &mut |_| {}).ok()?;
                bundle.fingerprint
            };
            judges::find(&fingerprint).ok().flatten()
        };
        self.judge.get_or_init(find).as_ref()
    }

    /// Noise `[1, latent_dim]` and class `[1]`, i64, of a point.
    pub(super) fn place(&self, point: &LatentPoint) -> anyhow::Result<(Tensor, Option<Tensor>)> {
        let dim = self.space.latent_dim();
        let noise = match &point.noise {
            LatentNoise::Seed(seed) => self.space.sample(*seed, 1).0,
            LatentNoise::Vector(z) if z.len() as i64 == dim => Tensor::from_slice(z).view([1, dim]),
            LatentNoise::Vector(z) => bail!(
                "the noise has {} numbers, and the run's has {dim}: it is of another run",
                z.len()
            ),
        };
        Ok((noise, self.class(point.class)?))
    }

    /// A class that was asked for, `[1]`, i64; the first if none was, and `None` for a generator without classes.
    pub(super) fn class(&self, asked: Option<u64>) -> anyhow::Result<Option<Tensor>> {
        let count = self.space.num_classes();
        match asked.map(u64::cast_signed) {
            Some(_) if count == 0 => bail!(
                "this model is unconditional: train a conditional preset such as cgan to choose classes"
            ),
            Some(class) if !(0..count).contains(&class) => {
                bail!("the run has no class {class}, only 0 to {}", count - 1)
            }
            asked => Ok((count > 0).then(|| Tensor::from_slice(&[asked.unwrap_or(0)]))),
        }
    }

    /// Pictures `[n, channels, h, w]`, u8, as they are sent.
    pub(super) fn message(&self, pixels: &Tensor, parts: &[&str]) -> Pictures {
        pictures(
            Purpose::Fresh,
            0,
            self.header.step,
            pixels,
            Vec::new(),
            parts,
        )
    }
}

/// Numbers of a tensor in a row.
pub(super) fn numbers(of: &Tensor) -> Vec<f32> {
    let flat = of.to_kind(Kind::Float).flatten(0, -1).contiguous();
    let mut numbers = vec![0.0; flat.numel()];
    flat.copy_data(&mut numbers, flat.numel());
    numbers
}
