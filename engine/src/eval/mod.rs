//! The judge: how good made digits are, by a classifier that learnt MNIST's training digits and nothing else.
//!
//! It never has a part in training. [`Evaluator::measure`] is the whole measurement, [`QuickFrechet::quick`] a glance for
//! someone who watches a training. docs/JUDGE.md says what each figure sees and what it is blind to.

mod classifier;
mod controls;
mod evaluator;
mod fine;
mod gaussian;
mod judge_file;
mod neighbours;
mod pixels;
mod quick;
mod reference;
mod train;

use crate::data::DataBundle;

pub use classifier::{CLASSES, Classifier, FEATURES, Predictions, SIDE};
pub use controls::Defect;
pub use evaluator::{EvalError, Evaluator, FEWEST, PICTURES};
pub use fine::FineComponents;
pub use gaussian::Gaussian;
pub use judge_file::{JudgeError, JudgeRecord};
pub use neighbours::{Reach, nearest, reach};
pub use pixels::{Copying, apart, saturated};
pub use quick::{QuickFigures, QuickFrechet};

/// A classifier, and what was measured with it when it was made.
#[derive(Debug)]
pub struct Judge {
    classifier: Classifier,
    about: JudgeRecord,
}

impl Judge {
    /// The judge inside the program.
    pub fn first() -> Result<Self, JudgeError> {
        Self::read(include_bytes!("../../assets/judge.safetensors"))
    }

    /// Its sibling, which learnt the same from another seed: what both say does not hang on one of them.
    pub fn second() -> Result<Self, JudgeError> {
        Self::read(include_bytes!("../../assets/judge-second.safetensors"))
    }

    /// Trains a judge anew and measures the controls with it; some minutes. `doing` hears how far it is.
    pub fn make(seed: u64, doing: &mut dyn FnMut(&str)) -> Result<Vec<u8>, EvalError> {
        let mnist = DataBundle::mnist()?.train;
        let pictures = mnist.images.tensor();
        let labels = mnist.labels_tensor().ok_or(JudgeError::Foreign)?;
        let classifier = train::learn(seed, train::EPOCHS, &pictures, &labels, |epoch, loss| {
            doing(&format!("epoch {epoch}, loss {loss:.4}"));
        });
        // What is measured is what will be read: half precision.
        Self::measured(&classifier.halved(), seed, doing)
    }

    /// Measures a judge's file anew, with the weights that it has; a minute or two.
    pub fn measure(bytes: &[u8], doing: &mut dyn FnMut(&str)) -> Result<Vec<u8>, EvalError> {
        let (classifier, seed) = judge_file::unmeasured(bytes)?;
        Self::measured(&classifier, seed, doing)
    }

    fn measured(
        classifier: &Classifier,
        seed: u64,
        doing: &mut dyn FnMut(&str),
    ) -> Result<Vec<u8>, EvalError> {
        let about = evaluator::examine(classifier, seed, doing)?;
        Ok(judge_file::write(classifier, &about)?)
    }

    /// Reads a judge's file.
    pub fn read(bytes: &[u8]) -> Result<Self, JudgeError> {
        let (classifier, about) = judge_file::read(bytes)?;
        Ok(Self { classifier, about })
    }

    /// What is known of it.
    pub fn about(&self) -> &JudgeRecord {
        &self.about
    }

    /// What looks.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }
}

/// Where each chunk of at most `size` of `count` things begins, and its length.
pub(crate) fn chunks(count: i64, size: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..(count + size - 1) / size).map(move |chunk| (chunk * size, size.min(count - chunk * size)))
}
