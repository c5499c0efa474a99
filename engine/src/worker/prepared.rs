//! What a configuration needs from the machine: its device and its data.

use sparring_contract::config::{Config, Precision};

use crate::data::{Dataset, Images};
use crate::gan::{Session, fits};
use crate::native;

/// A device that is ready to train, and the data on it.
pub(super) struct Prepared {
    dataset: Dataset,
    /// Where the images are from, in words.
    pub(super) origin: String,
    /// Whether they are the digits that the judge knows.
    pub(super) are_mnist: bool,
}

impl Prepared {
    /// Finds the device and loads the data. It is an error if the networks of the configuration do not fit the data.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let device = native::device(&config.device)?;
        native::prepare(config.threads);
        if device.is_cuda() {
            native::prepare_cuda(config.precision == Precision::Tf32);
        }
        let images = Images::load(&config.data)?;
        let mut dataset = Dataset::on(device, &images);
        if config.classes > 0 {
            dataset = dataset.labelled(&config.data)?;
        }
        fits(config, &dataset)?;
        Ok(Self {
            dataset,
            are_mnist: images.are_mnist()?,
            origin: images.origin,
        })
    }

    /// Builds the networks.
    pub(super) fn session(self, config: &Config) -> Session {
        Session::new(config, self.dataset)
    }
}
