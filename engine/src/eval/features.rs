//! What turns pictures into the features in which they are compared.

use sparring_contract::protocol::FeatureKind;
use tch::{Device, Tensor};

use super::classifier::Classifier;
use super::patches::PatchFilters;

/// A source of features.
#[derive(Debug)]
pub(super) enum Features {
    /// A classifier of the data's classes.
    Judge(Classifier),
    /// Filters that need no labels.
    Unlabelled(PatchFilters),
}

impl Features {
    /// Features that need no labels, fitted to training pictures `[n, channels, height, width]`, u8.
    pub(super) fn unlabelled(training: &Tensor) -> Self {
        Self::Unlabelled(PatchFilters::fitted(training))
    }

    /// The same, computing on a device.
    pub(super) fn on(self, device: Device) -> Self {
        match self {
            Self::Judge(classifier) => Self::Judge(classifier.on(device)),
            Self::Unlabelled(filters) => Self::Unlabelled(filters.on(device)),
        }
    }

    /// The features of pictures `[n, channels, height, width]`, u8, on any device: `[n, d]`, f64, on the CPU.
    pub(super) fn of(&self, pictures: &Tensor) -> Tensor {
        match self {
            Self::Judge(classifier) => classifier.predict(pictures).features,
            Self::Unlabelled(filters) => filters.features(pictures),
        }
    }

    pub(super) fn kind(&self) -> FeatureKind {
        match self {
            Self::Judge(_) => FeatureKind::Judge,
            Self::Unlabelled(_) => FeatureKind::Unlabelled,
        }
    }
}
