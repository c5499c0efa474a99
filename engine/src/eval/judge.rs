//! A judge: a classifier of one data set's pictures, and what was measured with it.

use sparring_contract::judges::JudgeRecord;
use sparring_contract::protocol::Figures;
use tch::Tensor;

use super::bias::{Parted, bias};
use super::classifier::{Classifier, SMALLEST, Subject};
use super::comparison::Comparison;
use super::controls::{self, Defect, class_gaussians};
use super::error::{EvalError, JudgeError};
use super::features::Features;
use super::frechet::Gaussian;
use super::judge_file::{self, JudgeFileError};
use super::neighbours::nearest_distance;
use super::real::RealData;
use super::train::train;
use super::usefulness::accuracy_score;
use crate::data::MNIST_FINGERPRINT;

/// A classifier, and what was measured with it when it was trained.
#[derive(Debug)]
pub struct Judge {
    classifier: Classifier,
    record: JudgeRecord,
}

/// Pictures that a judge sees in its training, the same ones counted again: seven epochs of MNIST.
const SEEN: i64 = 420_000;
/// Fewest and most epochs.
const EPOCHS: (i64, i64) = (7, 40);

impl Judge {
    /// The same judge, which shares its memory.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self {
            classifier: self.classifier.shared(),
            record: self.record.clone(),
        }
    }

    /// The judge of MNIST inside the program.
    pub fn mnist() -> Result<Self, JudgeError> {
        Self::embedded(include_bytes!("../../assets/judge.safetensors"))
    }

    /// Its sibling, trained with another seed: a gain that only one of them sees is no gain.
    pub fn mnist_second() -> Result<Self, JudgeError> {
        Self::embedded(include_bytes!("../../assets/judge-second.safetensors"))
    }

    fn embedded(bytes: &[u8]) -> Result<Self, JudgeError> {
        let mut judge = Self::read(bytes).map_err(JudgeError::Embedded)?;
        MNIST_FINGERPRINT.clone_into(&mut judge.record.fingerprint);
        Ok(judge)
    }

    /// Trains a judge of a labelled data set, and measures its floor and controls; some minutes for 60,000 pictures on
    /// two cores. `progress` is told what is done, and how many parts
    /// of how many are finished.
    pub fn train(
        data: &RealData,
        seed: u64,
        progress: &mut dyn FnMut(&str, u64, u64),
    ) -> Result<Self, EvalError> {
        let [labels, _] = data.labels().ok_or(JudgeError::Unlabelled)?;
        let [_, height, width] = data.shape();
        if data.num_classes() < 2 {
            return Err(JudgeError::OneClass.into());
        }
        if height.min(width) < SMALLEST {
            return Err(JudgeError::TooSmall { height, width }.into());
        }
        let subject = Subject {
            shape: data.shape(),
            num_classes: data.num_classes(),
            pixels: data.pixel_statistics(),
        };
        let (fewest, most) = EPOCHS;
        let epochs = (SEEN / data.training.count()).clamp(fewest, most);
        let total = epochs.unsigned_abs() + PARTS + Defect::of(data).count() as u64;
        progress(&format!("training: epoch 1 of {epochs}"), 0, total);
        let classifier = train(
            seed,
            epochs,
            subject,
            &data.training.pictures,
            labels,
            |epoch, loss| {
                let next = (epoch + 1).min(epochs);
                let words = format!("training: epoch {next} of {epochs}, loss {loss:.3}");
                progress(&words, epoch.unsigned_abs(), total);
            },
        );
        // Half precision is what will be read, so it is what is measured.
        let classifier = classifier.rounded_to_half();
        let mut measuring = |words: &str, done| {
            progress(words, epochs.unsigned_abs() + done, total);
        };
        let record = JudgeRecord {
            data: data.origin.clone(),
            seed,
            ..measure(&classifier, data, &mut measuring)
        };
        Ok(Self { classifier, record })
    }

    /// Measures a judge's floor and controls again, with the weights that it has; a minute or two.
    #[must_use]
    pub fn measured_again(self, data: &RealData, progress: &mut dyn FnMut(&str, u64, u64)) -> Self {
        let total = PARTS + Defect::of(data).count() as u64;
        let mut measuring = |words: &str, done| progress(words, done, total);
        let record = JudgeRecord {
            data: self.record.data,
            seed: self.record.seed,
            ..measure(&self.classifier, data, &mut measuring)
        };
        Self {
            classifier: self.classifier,
            record,
        }
    }

    /// Reads a judge's file.
    pub fn read(bytes: &[u8]) -> Result<Self, JudgeFileError> {
        let (classifier, record) = judge_file::read(bytes)?;
        Ok(Self { classifier, record })
    }

    /// The bytes of its file.
    pub fn write(&self) -> Result<Vec<u8>, JudgeFileError> {
        judge_file::write(&self.classifier, &self.record)
    }

    /// The share of pictures that it takes for the same class as their originals, both `[n, channels, height, width]`, u8.
    pub fn agreement(&self, pictures: &Tensor, originals: &Tensor) -> f64 {
        self.classifier.agreement(pictures, originals)
    }

    /// Its logits of pictures `[n, channels, height, width]` in [-1, 1], on any device: `[n, classes]` on its own,
    /// differentiable.
    pub fn logits(&self, pictures: &Tensor) -> Tensor {
        let pictures = pictures.to_device(self.classifier.device());
        let (_, logits) = self
            .classifier
            .forward(&((pictures + 1.0) / 2.0), 0.0, false);
        logits
    }

    /// What is known of it.
    pub fn record(&self) -> &JudgeRecord {
        &self.record
    }

    /// Its network.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Its network and what is known of it.
    pub(super) fn into_parts(self) -> (Classifier, JudgeRecord) {
        (self.classifier, self.record)
    }
}

/// Parts of the measurement beside the controls.
const PARTS: u64 = 3;

/// Measures the floor, the controls and the bias of a classifier. `progress` is told what begins, and how many parts are
/// finished.
fn measure(
    classifier: &Classifier,
    data: &RealData,
    progress: &mut dyn FnMut(&str, u64),
) -> JudgeRecord {
    progress("measuring the held-out pictures", 0);
    let labels = data.labels();
    let held_out = &data.held_out.pictures;
    let training = &data.training.pictures;
    let accuracy = labels.map(|[_, labels]| classifier.accuracy(held_out, labels));
    let nearest = nearest_distance(held_out, training, i64::MAX);

    progress("measuring the floor", 1);
    let some = data.training.narrow(0, controls::count(data));
    let agreement = some
        .labels
        .as_ref()
        .map(|labels| classifier.accuracy(&some.pictures, labels));
    let comparison = Comparison::new(Features::Judge(classifier.shared()), data);
    let score =
        |pictures: &Tensor, asked: &Tensor| accuracy_score(data, pictures, asked, &mut |_| {});
    let floor = Figures {
        nearest: Some(1.0),
        label_agreement: agreement,
        accuracy_score: some
            .labels
            .as_ref()
            .and_then(|labels| score(&some.pictures, labels)),
        ..comparison.figures(&some.pictures)
    };

    let mut done = 2;
    let mut controls = comparison.controls(data, &floor, nearest, i64::MAX, &mut |words| {
        progress(words, done);
        done += 1;
    });
    if let (Some(gaussians), Some((pictures, asked))) = (
        controls
            .iter_mut()
            .find(|control| control.name == Defect::ClassGaussians.name()),
        class_gaussians(data),
    ) {
        gaussians.figures.accuracy_score = score(&pictures, &asked);
    }

    progress("measuring the bias", done);
    let parted = Parted::of(training);
    let real = Gaussian::of(&comparison.features().of(&parted.real));
    let bias = bias(comparison.features(), &parted, &real);
    JudgeRecord {
        fingerprint: data.fingerprint.clone(),
        data: String::new(),
        shape: data.shape(),
        class_names: data.class_names.clone(),
        pixels: classifier.subject().pixels,
        seed: 0,
        accuracy: accuracy.unwrap_or(f64::NAN),
        bias,
        nearest,
        pictures: some.count().unsigned_abs(),
        floor,
        controls,
    }
}
