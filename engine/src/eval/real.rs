//! The real pictures of a data set: what others are compared with.

use tch::{Kind, Tensor};

use super::error::EvalError;
use super::reference::spread_order;
use crate::data::{self, DataBundle, DataSource, MNIST_FINGERPRINT, Progress};

/// Pictures that others are compared with, at most.
pub const PICTURES: i64 = 10_000;

/// Test pictures that are needed, or half as many as there are to train on, if those are fewer.
const ENOUGH_TEST: i64 = 100;

/// Fewer real pictures than this have no distribution to speak of: one half of them is compared with the other.
pub const FEWEST_REAL: i64 = 20;

/// Pictures, and the class of each where it is known.
#[derive(Debug)]
pub struct Part {
    /// `[n, channels, height, width]`, u8, on the CPU.
    pub pictures: Tensor,
    /// `[n]`, i64, 0 and up.
    pub labels: Option<Tensor>,
}

/// A data set, split into pictures to train on and held-out ones.
#[derive(Debug)]
pub struct RealData {
    /// Where it was read from.
    pub origin: String,
    /// Names the data set wherever it lies: that of its [`DataBundle`].
    pub fingerprint: String,
    /// All pictures that a generator is trained on, `[n, channels, height, width]`, u8.
    pub learnt: Tensor,
    /// Those of them that features, floor and controls are from: one half where no others are held out.
    pub training: Part,
    /// What pictures are compared with, [`PICTURES`] at most, none of them among `training`.
    pub held_out: Part,
    /// The held-out pictures in words, such as `10000 test digits`.
    pub against: String,
    /// Names of the classes; empty if the labels of either part are unknown.
    pub class_names: Vec<String>,
}

impl RealData {
    /// Loads what a source names. `progress` hears what takes time.
    pub fn load(
        source: &DataSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, EvalError> {
        Self::of(DataBundle::load(source, progress)?)
    }

    /// MNIST, with its test digits.
    pub fn mnist() -> Result<Self, EvalError> {
        Self::of(DataBundle::mnist()?)
    }

    /// A data set that was loaded.
    pub fn of(bundle: DataBundle) -> Result<Self, EvalError> {
        let kind = match (bundle.is_mnist(), bundle.held_out) {
            (true, _) => "test digits",
            (false, true) => "held-out pictures",
            (false, false) => "test pictures",
        };
        let test = bundle.test.map(|test| (Part::of(&test), kind));
        Self::new(
            bundle.origin,
            bundle.fingerprint,
            Part::of(&bundle.train),
            test,
            bundle.class_names,
        )
    }

    /// A data set from its parts: the test pictures come with what they are called. Without enough of them, one half of
    /// the training pictures is compared with the other. `class_names` has a name for every label, and is empty where
    /// there are none.
    pub fn new(
        origin: String,
        fingerprint: String,
        training: Part,
        test: Option<(Part, &str)>,
        class_names: Vec<String>,
    ) -> Result<Self, EvalError> {
        // MNIST's digits come in no order, and its judges' figures are of the first ones.
        let in_order = |part: Part| {
            if fingerprint == MNIST_FINGERPRINT {
                part
            } else {
                part.spread()
            }
        };
        let training = in_order(training);
        let learnt = training.pictures.shallow_clone();
        let enough = ENOUGH_TEST.min(training.count() / 2);
        let (training, held_out, against) = match test {
            Some((test, kind)) if test.count() >= enough => {
                let [found, real] = [&test, &training].map(Part::shape);
                if found != real {
                    return Err(EvalError::Shapes { found, real });
                }
                let held_out = in_order(test).narrow(0, PICTURES);
                let against = format!("{} {kind}", held_out.count());
                (training, held_out, against)
            }
            _ => halves(&training),
        };
        let count = training.count().min(held_out.count());
        if count < FEWEST_REAL {
            return Err(EvalError::TooFewReal {
                found: count,
                needed: FEWEST_REAL,
            });
        }
        let is_labelled = training.labels.is_some() && held_out.labels.is_some();
        Ok(Self {
            learnt,
            origin,
            fingerprint,
            training,
            held_out,
            against,
            class_names: if is_labelled { class_names } else { Vec::new() },
        })
    }

    /// Whether it is MNIST, whose pictures are called digits.
    pub fn is_mnist(&self) -> bool {
        self.fingerprint == MNIST_FINGERPRINT
    }

    /// What its pictures are called.
    pub fn noun(&self) -> &'static str {
        if self.is_mnist() {
            "digits"
        } else {
            "pictures"
        }
    }

    /// Shape of a picture, `[channels, height, width]`.
    pub fn shape(&self) -> [i64; 3] {
        self.training.shape()
    }

    /// Number of classes; 0 if the labels are unknown.
    pub fn num_classes(&self) -> i64 {
        self.class_names.len() as i64
    }

    /// Labels of the training pictures and of the held-out ones, if both are known.
    pub fn labels(&self) -> Option<[&Tensor; 2]> {
        if self.class_names.is_empty() {
            return None;
        }
        Some([
            self.training.labels.as_ref()?,
            self.held_out.labels.as_ref()?,
        ])
    }

    /// Mean and standard deviation of the pixels of all channels, as shares of white.
    pub fn pixel_statistics(&self) -> (f64, f64) {
        let some = self.training.narrow(0, PICTURES).pictures;
        let (deviation, mean) = (some.to_kind(Kind::Float) / 255.0).std_mean(true);
        // Pictures of one grey level only have none.
        let deviation = deviation.double_value(&[]).max(1.0 / 255.0);
        (mean.double_value(&[]), deviation)
    }
}

impl Part {
    fn of(part: &data::Part) -> Self {
        Self {
            pictures: part.images.tensor(),
            labels: part.labels_tensor(),
        }
    }

    /// How many pictures there are.
    pub fn count(&self) -> i64 {
        self.pictures.size()[0]
    }

    /// Shape of a picture, `[channels, height, width]`.
    pub fn shape(&self) -> [i64; 3] {
        shape(&self.pictures)
    }

    /// The same pictures in another order: the first ones are of all classes.
    fn spread(&self) -> Self {
        let order = spread_order(self.count(), self.count());
        Self {
            pictures: self.pictures.index_select(0, &order),
            labels: self
                .labels
                .as_ref()
                .map(|labels| labels.index_select(0, &order)),
        }
    }

    /// At most `count` pictures from `start` on.
    #[must_use]
    pub fn narrow(&self, start: i64, count: i64) -> Self {
        let count = count.min(self.count() - start);
        Self {
            pictures: self.pictures.narrow(0, start, count),
            labels: self
                .labels
                .as_ref()
                .map(|labels| labels.narrow(0, start, count)),
        }
    }
}

/// Shape of a picture of `[n, channels, height, width]`.
pub(super) fn shape(pictures: &Tensor) -> [i64; 3] {
    let size = pictures.size();
    [size[1], size[2], size[3]]
}

/// The second half of the training pictures in the place of test pictures.
fn halves(all: &Part) -> (Part, Part, String) {
    let half = all.count() / 2;
    let held_out = all.narrow(half, PICTURES);
    let against = format!(
        "{} of the training pictures, in the absence of {ENOUGH_TEST} test pictures",
        held_out.count()
    );
    (all.narrow(0, half), held_out, against)
}
