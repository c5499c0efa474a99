//! What a configuration makes of the machine: its device, its data and its networks.

use sparring_contract::config::{Config, Precision};

use crate::data::{DataBundle, Dataset};
use crate::gan::{Session, check_compatibility};
use crate::native;

/// A session at step 0, and what it is to learn.
pub(super) struct Prepared {
    pub(super) session: Session,
    /// Where the images are from, in words.
    pub(super) origin: String,
    /// Whether they are the digits that the judge knows.
    pub(super) is_mnist: bool,
    /// What was left out of the data, a line each.
    pub(super) warnings: Vec<String>,
}

impl Prepared {
    /// Finds the device, loads the data, and builds the networks.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let device = native::device(&config.device)?;
        native::prepare(config.threads);
        if device.is_cuda() {
            native::prepare_cuda(config.precision == Precision::Tf32);
        }
        let bundle = DataBundle::load(&config.data_source(), &mut |_| {})?;
        let mut data =
            Dataset::on(device, &bundle.train.images).with_class_names(bundle.class_names.clone());
        if let Some(labels) = bundle.train.labels.as_ref().filter(|_| config.conditional) {
            data = data.with_classes(labels);
        }
        check_compatibility(config, &data)?;
        Ok(Self {
            session: Session::new(config, data),
            is_mnist: bundle.is_mnist(),
            origin: bundle.described(),
            warnings: bundle.warnings(),
        })
    }
}
