//! A judge's file: its weights in half precision, and its record as metadata.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};
use sparring_contract::judges::{JudgeRecord, RECORD};
use tch::{Kind, Tensor};

use super::classifier::{Classifier, Subject};
use crate::tensor_bytes::TensorBytes;

/// Why the bytes of a judge cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JudgeFileError {
    /// No safetensors file.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// A tensor or the record is not as it should be.
    #[error("it is of another build or program")]
    Foreign,
}

/// Reads a judge's file.
pub(super) fn read(bytes: &[u8]) -> Result<(Classifier, JudgeRecord), JudgeFileError> {
    let damaged = |error: &dyn std::error::Error| JudgeFileError::Damaged(error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let record: JudgeRecord = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(RECORD))
        .and_then(|record| serde_json::from_str(record).ok())
        .ok_or(JudgeFileError::Foreign)?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))?;
    let weights: Vec<_> = file
        .iter()
        .filter(|(_, view)| view.dtype() == Dtype::F16)
        .map(|(name, view)| {
            let shape: Vec<_> = view.shape().iter().map(|size| *size as i64).collect();
            let tensor = Tensor::from_data_size(view.data(), &shape, Kind::Half);
            (name.to_owned(), tensor)
        })
        .collect();
    let subject = subject(&record).ok_or(JudgeFileError::Foreign)?;
    let classifier = Classifier::from_weights(subject, &weights).ok_or(JudgeFileError::Foreign)?;
    Ok((classifier, record))
}

/// What a record says that the classifier looks at; `None` if that makes no sense.
fn subject(record: &JudgeRecord) -> Option<Subject> {
    let (mean, deviation) = record.pixels;
    let is_sane = record.shape.iter().all(|size| (1..=4096).contains(size))
        && !record.class_names.is_empty()
        && mean.is_finite()
        && deviation > 0.0;
    is_sane.then_some(Subject {
        shape: record.shape,
        num_classes: record.class_names.len() as i64,
        pixels: record.pixels,
    })
}

/// The bytes of a judge's file.
pub(super) fn write(
    classifier: &Classifier,
    record: &JudgeRecord,
) -> Result<Vec<u8>, JudgeFileError> {
    let damaged = |error: &dyn std::error::Error| JudgeFileError::Damaged(error.to_string());
    let record = serde_json::to_string(record).map_err(|error| damaged(&error))?;
    let weights = classifier.weights();
    let tensors = weights
        .iter()
        .map(|(name, tensor)| (name.as_str(), TensorBytes::half(tensor)));
    let metadata = HashMap::from([(RECORD.to_owned(), record)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| damaged(&error))
}
