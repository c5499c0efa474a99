//! What a configuration needs from the machine: its device and its data.

use sparring_contract::config::Config;
use sparring_contract::protocol::Fidelity;
use sparring_contract::run::CheckpointHeader;
use sparring_contract::text::printable;

use crate::data::{DataBundle, Dataset, Degradation};
use crate::device::{self, Choice};
use crate::eval::{Judge, PlainMethod, judges, references};
use crate::gan::{Session, check_compatibility};
use crate::native;

/// A device that is ready to train, and the data on it.
pub(super) struct Prepared {
    dataset: Dataset,
    /// Where the images are from, in words.
    pub(super) origin: String,
    /// Fingerprint of the data whose judge can judge the images.
    judged_by: String,
    /// What was left out of the data, a line each.
    pub(super) warnings: Vec<String>,
}

impl Prepared {
    /// Finds the device and loads the data. It is an error if the networks of the configuration do not fit the data.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let Choice { device, why_cpu } = device::choose_for(config)?;
        native::prepare(config.threads);
        let source = config.data_source();
        let mut bundle = DataBundle::load(&source, &mut |_| {})?;
        let mut distinct = None;
        if !source.domains.is_empty() {
            let (balanced, count) = bundle.balanced();
            (bundle, distinct) = (balanced, Some(count as i64));
        }
        let (described, warnings) = (bundle.described(), bundle.warnings());
        let mut dataset = if let Some(distinct) = distinct {
            Dataset::labelled(device, &bundle).with_distinct(distinct)
        } else if config.task.is_image_to_image() {
            Dataset::of(device, &bundle)
        } else {
            // The pictures to test with would take memory and have no use.
            Dataset::on(device, &bundle.train.images).with_class_names(bundle.class_names.clone())
        };
        if let Some(labels) = bundle.train.labels.as_ref().filter(|_| config.conditional) {
            dataset = dataset.with_classes(labels);
        }
        let dataset = dataset.with_fingerprint(bundle.fingerprint);
        check_compatibility(config, &dataset)?;
        Ok(Self {
            dataset,
            origin: described,
            warnings: why_cpu
                .map(|why| format!("training on the CPU: {}", printable(&why)))
                .into_iter()
                .chain(warnings)
                .collect(),
            judged_by: bundle.judged_by,
        })
    }

    /// Warns if a checkpoint was trained on other data: what comes of it is not what would have come of the old data.
    pub(super) fn compare_data(&mut self, checkpoint: &CheckpointHeader) {
        let before = &checkpoint.data_fingerprint;
        if !before.is_empty() && before != self.dataset.fingerprint() {
            self.warnings.push(
                "the data has changed since the checkpoint was saved: other pictures, labels or test pictures; the run goes on \
                 with what is there now"
                    .to_owned(),
            );
        }
    }

    /// The judge of the data, if there is one that can be used. One that cannot is a warning more: the training needs none.
    pub(super) fn judge(&mut self) -> Option<Judge> {
        judges::find(&self.judged_by).unwrap_or_else(|error| {
            let without = format!("{error}; health checks do without it");
            self.warnings.push(printable(&without));
            None
        })
    }

    /// What plain methods reach at the task, if it has right answers.
    pub(super) fn references(
        &self,
        config: &Config,
        judge: Option<&Judge>,
    ) -> Vec<(PlainMethod, Fidelity)> {
        Degradation::new(config)
            .filter(|degradation| degradation.has_truth())
            .map_or_else(Vec::new, |degradation| {
                references(degradation, &self.dataset, judge)
            })
    }

    /// Builds the networks.
    pub(super) fn session(self, config: &Config) -> Session {
        Session::new(config, self.dataset)
    }
}
