//! The judges of this user's data sets, in the cache directory: the worker trains and stores them, the face lists and
//! removes them.
//!
//! A judge is a classifier of one data set's pictures. It lies in `judges/<fingerprint>.safetensors`: weights in half
//! precision, and a [`JudgeRecord`] as metadata.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::protocol::{Control, Figures};

/// The key of the record in the metadata of a judge's file.
pub const RECORD: &str = "judge";

/// What is known of a judge since it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeRecord {
    /// Fingerprint of the data set.
    #[serde(default)]
    pub fingerprint: String,
    /// Where the data set was when the judge was trained.
    #[serde(default)]
    pub data: String,
    /// Shape of a picture, `[channels, height, width]`.
    #[serde(default = "mnist_shape")]
    pub shape: [i64; 3],
    /// Names of the classes, in the order of the logits.
    #[serde(default = "mnist_names")]
    pub class_names: Vec<String>,
    /// Mean and standard deviation of the data's pixels, as shares of white.
    #[serde(default = "mnist_pixels")]
    pub pixels: (f64, f64),
    /// Seed that it was trained with.
    pub seed: u64,
    /// Share of the held-out pictures that it classifies correctly, 0 to 1.
    pub accuracy: f64,
    /// Finite-sample bias of its Fréchet distance: FD(n) ≈ FD(∞) + bias / n.
    pub bias: f64,
    /// Mean distance of a held-out picture to the nearest training picture, in units of one pixel from black to white.
    pub nearest: f64,
    /// How many training pictures gave `floor`, and how many each control has.
    #[serde(default = "mnist_pictures")]
    pub pictures: u64,
    /// The figures of real training pictures.
    pub floor: Figures,
    /// The figures of the controls, from the least to the greatest Fréchet distance.
    pub controls: Vec<Control>,
}

// The judges inside the program were stored before there were others.
fn mnist_shape() -> [i64; 3] {
    [1, 28, 28]
}

fn mnist_names() -> Vec<String> {
    (0..10).map(|digit| digit.to_string()).collect()
}

fn mnist_pixels() -> (f64, f64) {
    (0.1307, 0.3081)
}

fn mnist_pictures() -> u64 {
    10_000
}

/// The folder of judges.
#[derive(Clone, Debug)]
pub struct JudgeFolder {
    folder: PathBuf,
}

/// A file in the folder of judges.
#[derive(Debug)]
pub struct JudgeFile {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it says about itself, or why that cannot be read, in words.
    pub record: Result<JudgeRecord, String>,
}

impl JudgeFile {
    /// The fingerprint that the file is named after.
    pub fn fingerprint(&self) -> &str {
        let name = self.path.file_stem().and_then(|name| name.to_str());
        name.unwrap_or_default()
    }
}

/// The longest header that is read: names and shapes of a few tensors and a record need far less.
const MAX_HEADER: u64 = 4 << 20;

impl JudgeFolder {
    const ENDING: &str = "safetensors";

    /// That of this user: `$XDG_CACHE_HOME/sparring/judges`, or where the system keeps caches otherwise. `None` if there
    /// is no home directory.
    pub fn of_user() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "sparring")?;
        Some(Self::at(dirs.cache_dir().join("judges")))
    }

    /// A folder that need not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The file of a fingerprint, a word of letters and digits.
    pub fn file(&self, fingerprint: &str) -> PathBuf {
        self.folder.join(format!("{fingerprint}.{}", Self::ENDING))
    }

    /// The judges, in the order of their fingerprints.
    pub fn list(&self) -> io::Result<Vec<JudgeFile>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let is_judge = path
                .extension()
                .is_some_and(|ending| ending == Self::ENDING);
            // Another process may just have removed it.
            let Some(about) = path.symlink_metadata().ok().filter(fs::Metadata::is_file) else {
                continue;
            };
            if is_judge {
                files.push(JudgeFile {
                    bytes: about.len(),
                    record: read_record(&path),
                    path,
                });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// The record in the header of a safetensors file: its length in eight bytes, then JSON.
fn read_record(path: &Path) -> Result<JudgeRecord, String> {
    let broken = |_| "it is cut short or no safetensors file".to_owned();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut header = Vec::new();
    let mut length = [0; 8];
    (&file).read_exact(&mut length).map_err(broken)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err("it is no safetensors file".to_owned());
    }
    (&file)
        .take(length)
        .read_to_end(&mut header)
        .map_err(broken)?;
    let header: serde_json::Value =
        serde_json::from_slice(&header).map_err(|_| "it is no safetensors file".to_owned())?;
    let record = header["__metadata__"][RECORD]
        .as_str()
        .ok_or("it is a safetensors file of another program")?;
    serde_json::from_str(record).map_err(|_| "it is of another build".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_never_made_holds_no_judges() {
        let home = tempfile::tempdir().unwrap();
        let folder = JudgeFolder::at(home.path().join("none"));
        assert!(folder.list().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_is_no_judge_is_listed_with_what_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let folder = JudgeFolder::at(home.path().to_owned());
        let header = br#"{"__metadata__":{"format":"other"}}"#;
        let foreign = [&(header.len() as u64).to_le_bytes()[..], header].concat();
        fs::write(folder.file("a"), b"short").unwrap();
        fs::write(folder.file("b"), [255; 64]).unwrap();
        fs::write(folder.file("c"), foreign).unwrap();
        fs::write(home.path().join("notes.txt"), "mine").unwrap();
        let files = folder.list().unwrap();
        let said: Vec<_> = files
            .iter()
            .map(|file| {
                (
                    file.fingerprint(),
                    file.record.as_ref().unwrap_err().as_str(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("a", "it is cut short or no safetensors file"),
                ("b", "it is no safetensors file"),
                ("c", "it is a safetensors file of another program"),
            ]
        );
    }
}
