//! What a configuration makes of the machine: its device, its data and its networks.

use sparring_contract::config::{Config, Precision};

use crate::data::{Dataset, Images};
use crate::gan::{Session, check_compatibility};
use crate::native;

/// A session at step 0, and what it is to learn.
pub(super) struct Prepared {
    pub(super) session: Session,
    /// Where the images are from, in words.
    pub(super) origin: String,
    /// Whether they are the digits that the judge knows.
    pub(super) are_mnist: bool,
}

impl Prepared {
    /// Finds the device, loads the data, and builds the networks.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let device = native::device(&config.device)?;
        native::prepare(config.threads);
        if device.is_cuda() {
            native::prepare_cuda(config.precision == Precision::Tf32);
        }
        let images = Images::load(&config.data)?;
        let mut data = Dataset::on(device, &images);
        if config.conditional {
            data = data.labelled(&config.data)?;
        }
        check_compatibility(config, &data)?;
        Ok(Self {
            session: Session::new(config, data),
            are_mnist: images.are_mnist()?,
            origin: images.origin,
        })
    }
}
