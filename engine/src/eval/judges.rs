//! Where judges are: MNIST's inside the program, those of other data sets in the user's cache directory.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

use sparring_contract::judges::JudgeFolder;
use sparring_contract::run::write_whole;

use super::error::JudgeError;
use super::judge::Judge;
use super::judge_file::JudgeFileError;
use crate::data::MNIST_FINGERPRINT;

/// The judge of the data set with this fingerprint, if it has one.
pub fn find(fingerprint: &str) -> Result<Option<Judge>, JudgeError> {
    match JudgeFolder::of_user() {
        Some(folder) => find_in(&folder, fingerprint),
        None if fingerprint == MNIST_FINGERPRINT => Judge::mnist().map(Some),
        None => Ok(None),
    }
}

/// As [`find`], in a folder of judges.
pub fn find_in(folder: &JudgeFolder, fingerprint: &str) -> Result<Option<Judge>, JudgeError> {
    if fingerprint == MNIST_FINGERPRINT {
        return Judge::mnist().map(Some);
    }
    let path = folder.file(fingerprint);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JudgeError::Unreadable { path, error }),
    };
    let unusable = |why| JudgeError::Unusable {
        path: path.clone(),
        why,
    };
    let judge = Judge::read(&bytes).map_err(unusable)?;
    if judge.record().fingerprint != fingerprint {
        return Err(unusable(JudgeFileError::Foreign));
    }
    Ok(Some(judge))
}

/// Stores a judge in a folder of judges, whole or not at all, and returns its file.
pub fn store(folder: &JudgeFolder, judge: &Judge) -> Result<PathBuf, JudgeError> {
    let path = folder.file(&judge.record().fingerprint);
    let unwritable = |error: io::Error| JudgeError::Unwritable {
        path: path.clone(),
        error,
    };
    let bytes = judge
        .write()
        .map_err(|error| unwritable(io::Error::other(error)))?;
    fs::create_dir_all(folder.path()).map_err(unwritable)?;
    write_whole(&path, |file| file.write_all(&bytes)).map_err(unwritable)?;
    Ok(path)
}
