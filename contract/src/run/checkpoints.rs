//! The checkpoints of a run, by the names of their files.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Run, RunError};
use crate::config::Config;
use crate::protocol::FeatureKind;

/// A checkpoint's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Training steps.
    pub step: u64,
    /// The safetensors file.
    pub path: PathBuf,
}

impl Checkpoint {
    fn at(path: PathBuf) -> Option<Self> {
        let step = path
            .file_name()?
            .to_str()?
            .strip_prefix("step-")?
            .strip_suffix(".safetensors")?
            .parse()
            .ok()?;
        Some(Self { step, path })
    }
}

/// What a checkpoint says about itself: the metadata of its safetensors file.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointHeader {
    /// Training steps.
    pub step: u64,
    /// Shape of a picture, `[channels, height, width]`.
    pub shape: [i64; 3],
    /// Seconds of training until then.
    pub training_seconds: f64,
    /// The attempt that goes on from here: 0, or how often the run had gone back to a good state.
    pub attempt: u64,
    /// Its quick distance, if it was saved for being the best so far.
    pub quick_distance: Option<f64>,
    /// The features that its quick distance is in.
    pub features: Option<FeatureKind>,
    /// Names of the classes of the data, in the order of their labels; empty if the data has no labels or the checkpoint
    /// is of a build that did not keep them.
    pub class_names: Vec<String>,
    /// The configuration in force, with what was changed while training.
    pub config: Config,
}

/// The words for the features.
const JUDGE: &str = "judge";
const UNLABELLED: &str = "unlabelled";

/// Marks a safetensors file as a checkpoint.
const FORMAT: &str = "sparring checkpoint 1";

/// The longest header that is read: names and shapes of tensors and a configuration need far less.
const MAX_HEADER: u64 = 16 << 20;

impl CheckpointHeader {
    /// The header as the metadata of a safetensors file.
    pub fn to_metadata(&self) -> Result<HashMap<String, String>, RunError> {
        let quick_distance = self
            .quick_distance
            .map(|distance| ("quick_distance".to_owned(), distance.to_string()));
        let features = self.features.map(|features| {
            let word = match features {
                FeatureKind::Judge => JUDGE,
                FeatureKind::Unlabelled => UNLABELLED,
            };
            ("features".to_owned(), word.to_owned())
        });
        let class_names = (!self.class_names.is_empty()).then(|| {
            let names = serde_json::Value::from(self.class_names.clone());
            ("class_names".to_owned(), names.to_string())
        });
        let always = [
            ("format".to_owned(), FORMAT.to_owned()),
            ("step".to_owned(), self.step.to_string()),
            (
                "shape".to_owned(),
                self.shape.map(|size| size.to_string()).join("x"),
            ),
            (
                "training_seconds".to_owned(),
                self.training_seconds.to_string(),
            ),
            ("attempt".to_owned(), self.attempt.to_string()),
            ("config".to_owned(), self.config.to_toml()?),
        ];
        Ok(always
            .into_iter()
            .chain(quick_distance)
            .chain(features)
            .chain(class_names)
            .collect())
    }

    /// How many classes a conditional generator tells apart; 0 if it is not conditional.
    pub fn num_classes(&self) -> u64 {
        self.conditional_classes().len() as u64
    }

    /// The classes of a conditional generator; empty if it is not conditional.
    pub fn conditional_classes(&self) -> &[String] {
        if self.config.conditional {
            &self.class_names
        } else {
            &[]
        }
    }

    /// Reads the header of a checkpoint and checks that the file is as long as the header says, without reading the
    /// tensors.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let broken = |why: &str| RunError::BrokenCheckpoint {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let io = |error| RunError::io("read", path, error);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();

        let mut prefix = [0; 8];
        file.read_exact(&mut prefix)
            .map_err(|_| broken("it is cut short"))?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > MAX_HEADER.min(length - 8) {
            return Err(broken("it is cut short or no safetensors file"));
        }
        let mut header = Vec::new();
        file.take(header_length)
            .read_to_end(&mut header)
            .map_err(io)?;
        let mut entries: HashMap<String, Entry> =
            serde_json::from_slice(&header).map_err(|_| broken("it is no safetensors file"))?;

        let Some(Entry::Metadata(metadata)) = entries.remove("__metadata__") else {
            return Err(broken(
                "it is a safetensors file without the metadata of a checkpoint",
            ));
        };
        let end = entries.values().map(Entry::end).max().unwrap_or_default();
        if 8 + header_length + end != length {
            return Err(broken("it is cut short"));
        }
        let field = |name: &str| metadata.get(name).map(String::as_str).unwrap_or_default();
        if field("format") != FORMAT {
            return Err(broken("it is a safetensors file of another program"));
        }
        let quick_distance: Option<f64> = field("quick_distance").parse().ok();
        let features = match field("features") {
            // Older builds knew the features of a judge only.
            JUDGE | "" => quick_distance.map(|_| FeatureKind::Judge),
            UNLABELLED => Some(FeatureKind::Unlabelled),
            _ => None,
        };
        Ok(Self {
            step: field("step")
                .parse()
                .map_err(|_| broken("its step is no number"))?,
            shape: parse_shape(field("shape"))
                .ok_or_else(|| broken("the shape of its pictures is unknown"))?,
            training_seconds: field("training_seconds").parse().unwrap_or_default(),
            attempt: field("attempt").parse().unwrap_or_default(),
            quick_distance,
            features,
            class_names: serde_json::from_str(field("class_names")).unwrap_or_default(),
            config: Config::parse(field("config"), path)?,
        })
    }
}

/// A shape written as `1x28x28`.
fn parse_shape(text: &str) -> Option<[i64; 3]> {
    let sizes: Vec<i64> = text
        .split('x')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    sizes
        .try_into()
        .ok()
        .filter(|sizes: &[i64; 3]| sizes.iter().all(|size| (1..=65536).contains(size)))
}

/// An entry of a safetensors header.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Tensor { data_offsets: [u64; 2] },
    Metadata(HashMap<String, String>),
}

impl Entry {
    fn end(&self) -> u64 {
        match self {
            Self::Tensor { data_offsets } => data_offsets[1],
            Self::Metadata(_) => 0,
        }
    }
}

impl Run {
    /// The newest checkpoint that is whole, with its header, and the newer ones that are broken.
    pub fn newest_whole_checkpoint(
        &self,
    ) -> (Option<(Checkpoint, CheckpointHeader)>, Vec<RunError>) {
        let mut broken = Vec::new();
        for checkpoint in self.checkpoints() {
            match CheckpointHeader::read(&checkpoint.path) {
                Ok(header) => return (Some((checkpoint, header)), broken),
                Err(error) => broken.push(error),
            }
        }
        (None, broken)
    }

    /// Where the checkpoint of this step belongs.
    pub fn checkpoint_file(&self, step: u64) -> PathBuf {
        self.checkpoints_dir()
            .join(format!("step-{step:09}.safetensors"))
    }

    /// Where the checkpoint with the best quick distance so far belongs. It is none of [`Run::checkpoints`], is never
    /// pruned, and gives way to a better one only.
    pub fn best_checkpoint_file(&self) -> PathBuf {
        self.checkpoints_dir().join("best.safetensors")
    }

    /// The checkpoint with the best quick distance so far.
    pub fn best_checkpoint(&self) -> Result<(PathBuf, CheckpointHeader), RunError> {
        let path = self.best_checkpoint_file();
        if !path.is_file() {
            return Err(RunError::NoBest {
                name: self.name().to_owned(),
            });
        }
        let header = CheckpointHeader::read(&path)?;
        Ok((path, header))
    }

    /// The checkpoints, newest first.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let mut found: Vec<_> = fs::read_dir(self.checkpoints_dir())
            .map(|entries| {
                entries
                    .filter_map(|entry| Checkpoint::at(entry.ok()?.path()))
                    .collect()
            })
            .unwrap_or_default();
        found.sort_by(|a: &Checkpoint, b| b.cmp(a));
        found
    }

    /// The newest checkpoint.
    pub fn newest_checkpoint(&self) -> Result<Checkpoint, RunError> {
        let none = || RunError::NoCheckpoint {
            name: self.name().to_owned(),
        };
        self.checkpoints().into_iter().next().ok_or_else(none)
    }

    /// Removes all checkpoints but the newest `keep`, and what a killed worker left half written.
    pub fn prune_checkpoints(&self, keep: usize) -> Result<(), RunError> {
        let remove = |path: &Path| {
            fs::remove_file(path).map_err(|error| RunError::io("remove", path, error))
        };
        for old in self.checkpoints().iter().skip(keep) {
            remove(&old.path)?;
        }
        for entry in fs::read_dir(self.checkpoints_dir())
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with(".writing-") {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
