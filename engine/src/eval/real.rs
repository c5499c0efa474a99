//! The real pictures of a data set: what others are compared with.

use sha2::{Digest as _, Sha256};
use tch::{Kind, Tensor};

use super::EvalError;
use crate::data::{Images, Split, mnist_labels};

/// Fingerprint of MNIST, whose judges are part of the program.
pub const MNIST: &str = "a0e0f446e55e09640624109ffc8bde6f7ebc3f360a0e9d0d167c423cd423a9dd";

/// Pictures that others are compared with, at most.
pub const PICTURES: i64 = 10_000;

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
    /// SHA-256 of shapes, pixels and labels, in hexadecimal digits: names the data set wherever it lies.
    pub fingerprint: String,
    /// What a generator is trained on.
    pub training: Part,
    /// What no generator is trained on, [`PICTURES`] at most.
    pub held_out: Part,
    /// The held-out pictures in words, such as `10000 test digits`.
    pub against: String,
    /// Names of the classes; empty if the labels of either part are unknown.
    pub class_names: Vec<String>,
}

impl RealData {
    /// Reads what a configuration's `data` names.
    pub fn load(data: &str) -> Result<Self, EvalError> {
        let images = Images::load(data)?;
        if images.are_mnist()? {
            return Self::mnist();
        }
        let labels = |classes: Option<Vec<u8>>| {
            classes.map(|classes| Tensor::from_slice(&classes).to_kind(Kind::Int64))
        };
        let training = Part {
            pictures: images.tensor(),
            labels: labels(Images::load_classes(data)?),
        };
        let test = match Images::load_test(data)? {
            Some(test) => Some(Part {
                pictures: test.tensor(),
                labels: labels(Images::load_test_classes(data)?),
            }),
            None => None,
        };
        let fingerprint = fingerprint([Some(&training), test.as_ref()].into_iter().flatten());
        let names = class_count(&training, test.as_ref());
        let names = (0..names).map(|class| class.to_string()).collect();
        Self::new(fingerprint, training, test, names)
    }

    /// MNIST, with its test digits.
    pub fn mnist() -> Result<Self, EvalError> {
        let training = Part {
            pictures: Images::load("mnist")?.tensor(),
            labels: Some(mnist_labels(Split::Train)?),
        };
        let test = match Images::load_test("mnist")? {
            Some(test) => Some(Part {
                pictures: test.tensor(),
                labels: Some(mnist_labels(Split::Test)?),
            }),
            None => None,
        };
        let names = (0..10).map(|digit| digit.to_string()).collect();
        Self::new(MNIST.to_owned(), training, test, names)
    }

    /// A data set from its parts. Without test pictures one half of the training pictures is held out.
    /// `class_names` has a name for every label, and is empty where there are none.
    pub fn new(
        fingerprint: String,
        training: Part,
        test: Option<Part>,
        class_names: Vec<String>,
    ) -> Result<Self, EvalError> {
        let kind = if fingerprint == MNIST {
            "digits"
        } else {
            "pictures"
        };
        let (training, held_out, against) = match test {
            Some(test) => {
                let held_out = test.narrow(0, PICTURES);
                let against = format!("{} test {kind}", held_out.count());
                (training, held_out, against)
            }
            None => halves(&training),
        };
        let [found, real] = [&held_out, &training].map(Part::shape);
        if found != real {
            return Err(EvalError::Shapes { found, real });
        }
        let count = training.count().min(held_out.count());
        if count < FEWEST_REAL {
            return Err(EvalError::TooFewReal(count));
        }
        let is_labelled = training.labels.is_some() && held_out.labels.is_some();
        Ok(Self {
            fingerprint,
            training,
            held_out,
            against,
            class_names: if is_labelled { class_names } else { Vec::new() },
        })
    }

    /// Whether it is MNIST, whose pictures are called digits.
    pub fn is_mnist(&self) -> bool {
        self.fingerprint == MNIST
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
    /// How many pictures there are.
    pub fn count(&self) -> i64 {
        self.pictures.size()[0]
    }

    /// Shape of a picture, `[channels, height, width]`.
    pub fn shape(&self) -> [i64; 3] {
        shape(&self.pictures)
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

/// The second half of the training pictures is held out.
fn halves(all: &Part) -> (Part, Part, String) {
    let half = all.count() / 2;
    let held_out = all.narrow(half, PICTURES);
    let against = format!(
        "{} of the training pictures, in the absence of test pictures",
        held_out.count()
    );
    (all.narrow(0, half), held_out, against)
}

/// The highest label and one; 0 if there are no labels.
fn class_count(training: &Part, test: Option<&Part>) -> i64 {
    [Some(training), test]
        .into_iter()
        .flatten()
        .filter_map(|part| Some(part.labels.as_ref()?.max().int64_value(&[]) + 1))
        .max()
        .unwrap_or_default()
}

/// SHA-256 of shapes, pixels and labels of some parts, in hexadecimal digits.
pub fn fingerprint<'a>(parts: impl Iterator<Item = &'a Part>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        for size in part.pictures.size() {
            hash.update(size.to_le_bytes());
        }
        hash.update(bytes(&part.pictures));
        if let Some(labels) = &part.labels {
            hash.update(b"labels");
            hash.update(bytes(&labels.view_dtype(Kind::Uint8)));
        }
    }
    format!("{:x}", hash.finalize())
}

/// The bytes of a tensor, u8.
fn bytes(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; tensor.numel()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}
