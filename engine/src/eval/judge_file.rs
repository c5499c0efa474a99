//! A judge's file: its weights in half precision, and as metadata what was measured with it when it was made.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sparring_contract::protocol::{Control, Figures};
use tch::{Kind, Tensor};

use super::classifier::Classifier;

/// The name of the metadata.
const ABOUT: &str = "judge";

/// What is known of a judge since it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeRecord {
    /// Its seed.
    pub seed: u64,
    /// Share of MNIST's test digits that it takes for what they are.
    pub accuracy: f64,
    /// The Fréchet distance of n real digits exceeds that of endlessly many by this number over n.
    pub bias: f64,
    /// Mean distance of a test digit to the nearest training digit, in units of one pixel from black to white.
    pub nearest: f64,
    /// What 10,000 real digits read.
    pub floor: Figures,
    /// What the controls read, from the least to the greatest Fréchet distance.
    pub controls: Vec<Control>,
}

/// Why a judge's file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// No safetensors file, or none of numbers in half precision.
    #[error("a judge's file cannot be read ({0}): make it anew with `make judge`")]
    Unreadable(String),
    /// A tensor or the metadata is not as it should be.
    #[error("a judge's file is of another build: make it anew with `make judge`")]
    Foreign,
}

/// Reads a judge's file.
pub(super) fn read(bytes: &[u8]) -> Result<(Classifier, JudgeRecord), JudgeError> {
    parts(bytes)
}

/// What is left of a judge's file when its measurements are of no use: its weights and its seed.
pub(super) fn unmeasured(bytes: &[u8]) -> Result<(Classifier, u64), JudgeError> {
    #[derive(Deserialize)]
    struct Origin {
        seed: u64,
    }
    let (classifier, Origin { seed }) = parts(bytes)?;
    Ok((classifier, seed))
}

/// The classifier, and what the metadata say.
fn parts<T: DeserializeOwned>(bytes: &[u8]) -> Result<(Classifier, T), JudgeError> {
    let unreadable = |error: &dyn std::error::Error| JudgeError::Unreadable(error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(&error))?;
    let about = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(ABOUT))
        .ok_or(JudgeError::Foreign)?;
    let about = serde_json::from_str(about).map_err(|error| unreadable(&error))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(&error))?;
    let weights: Vec<_> = file
        .iter()
        .filter(|(_, view)| view.dtype() == Dtype::F16)
        .map(|(name, view)| {
            let shape: Vec<_> = view.shape().iter().map(|size| *size as i64).collect();
            let tensor = Tensor::from_data_size(view.data(), &shape, Kind::Half);
            (name.to_owned(), tensor)
        })
        .collect();
    let classifier = Classifier::from_weights(&weights).ok_or(JudgeError::Foreign)?;
    Ok((classifier, about))
}

/// The bytes of a judge's file.
pub(super) fn write(classifier: &Classifier, about: &JudgeRecord) -> Result<Vec<u8>, JudgeError> {
    let unreadable = |error: &dyn std::error::Error| JudgeError::Unreadable(error.to_string());
    let about = serde_json::to_string(about).map_err(|error| unreadable(&error))?;
    let weights = classifier.weights();
    let tensors = weights
        .iter()
        .map(|(name, tensor)| (name.as_str(), Halves::of(tensor)));
    let metadata = HashMap::from([(ABOUT.to_owned(), about)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| unreadable(&error))
}

/// A tensor's numbers in half precision.
struct Halves {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Halves {
    fn of(tensor: &Tensor) -> Self {
        let tensor = tensor.to_kind(Kind::Half).contiguous();
        let mut bytes = vec![0; tensor.numel() * 2];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        let shape = tensor
            .size()
            .iter()
            .map(|size| usize::try_from(*size).unwrap_or_default())
            .collect();
        Self { shape, bytes }
    }
}

impl View for Halves {
    fn dtype(&self) -> Dtype {
        Dtype::F16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
