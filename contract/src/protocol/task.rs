//! Work that needs libtorch but no run: a face starts a worker for it and talks to it over a pipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    DataReport, Edited, Examination, FidelityReport, LatentRequest, LatentTask, MAX_ATTACHMENT,
    Message, Pictures, Projected, Report, Translation, UnpairedReport,
};
use crate::config::{DataSource, Mask};
use crate::judges::JudgeRecord;

/// What a worker on a pipe is asked to do. One task, and the worker ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Draw pictures from a checkpoint's generator.
    Sample {
        /// The safetensors file.
        checkpoint: PathBuf,
        /// How many pictures the whole draw has.
        count: u64,
        /// The first one to send, from 0: a draw that broke off goes on here, and sends the pictures that it would have
        /// sent.
        first: u64,
        /// Seed of the noise: `torch.manual_seed(seed)`, then `torch.randn(n, latent_dim)` for each batch of up to
        /// 256 pictures.
        seed: u64,
        /// The class of every picture, for a conditional generator. Without one, picture `i` gets class
        /// `i mod num_classes`.
        class: Option<u64>,
        /// What is done to the noise.
        #[serde(default)]
        truncation: Truncation,
        /// `auto`, `cpu`, `cuda` or `cuda:N`.
        device: String,
    },
    /// Load a data set, which also fills the cache, and say what it holds.
    Data {
        /// Which.
        source: DataSource,
        /// How many of its pictures to send, spread over the classes, or over the set if it has none.
        pictures: u32,
    },
    /// Evaluate pictures.
    Eval {
        /// Which.
        subject: Subject,
        /// Whether to measure the gain from augmentation too, which takes a minute or more.
        #[serde(default)]
        augmentation: bool,
    },
    /// Train a judge of a data set and store it in the user's cache directory.
    JudgeTrain {
        /// Which: it needs labels.
        source: DataSource,
        /// Seed of the training.
        seed: u64,
    },
    /// Make pictures from pictures.
    Translate(Translation),
    /// Load a generator, and answer each [`LatentRequest`] that follows until stdin ends.
    Latent(LatentTask),
    /// Find out about libtorch and the devices of this machine, and try each device.
    Examine {
        /// The device that training would ask for: `auto`, `cpu`, `cuda` or `cuda:N`.
        device: String,
    },
}

/// What is done to normal noise, to trade variety for quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncation {
    /// Nothing.
    #[default]
    Off,
    /// It is moved towards its mean, which is zero: multiplied by this number, 0 to 1 (ψ of Karras et al. 2019).
    TowardsMean(f64),
    /// Numbers below minus this threshold or above it are drawn again until none is (Brock et al. 2019).
    Redrawn(f64),
}

impl Truncation {
    /// As the command line says it.
    pub fn in_words(self) -> String {
        match self {
            Self::Off => "not truncated".to_owned(),
            Self::TowardsMean(share) => format!("--truncation {share}"),
            Self::Redrawn(threshold) => format!("--tails {threshold}"),
        }
    }
}

/// The pictures that are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// 10,000 that a checkpoint's generator draws, against the data that it learnt from.
    Checkpoint {
        /// The safetensors file.
        path: PathBuf,
        /// Seed of the noise, as in [`Task::Sample`].
        seed: u64,
        /// What is done to the noise.
        #[serde(default)]
        truncation: Truncation,
        /// Evaluate how it repairs pictures that miss these pixels, though it has learnt to make pictures from noise.
        #[serde(default)]
        repair: Option<Mask>,
        /// The device that draws: `auto`, `cpu`, `cuda` or `cuda:N`.
        device: String,
    },
    /// Those of a file or folder.
    Samples {
        /// IDX, plain or gzipped, `.npz` or a folder of PNG files.
        path: PathBuf,
        /// What they are held against: `mnist` or a folder of IDX files.
        data: String,
    },
}

/// What a worker on a pipe answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum TaskReply {
    /// Some of the pictures, in order.
    Pictures(Pictures),
    /// Pictures that were made from some of a user's pictures, in order: of each what it was made from, the answers, and the
    /// original if it is known.
    Translated {
        /// What each of the user's pictures is called.
        names: Vec<String>,
        /// The pictures.
        pictures: Pictures,
    },
    /// A property of a picture, changed step by step.
    Edited(Box<Edited>),
    /// The noise that comes closest to a picture.
    Projected(Box<Projected>),
    /// What it is doing now, for someone who waits.
    Progress {
        /// In words.
        doing: String,
    },
    /// How far counted work is, for someone who waits.
    Counted {
        /// The work in words.
        doing: String,
        /// Items done.
        done: u64,
        /// Items in all.
        total: u64,
    },
    /// What a data set holds; its pictures follow.
    Data(Box<DataReport>),
    /// The figures of evaluated pictures.
    Report(Box<Report>),
    /// The figures of pictures that were made from pictures.
    Fidelity(Box<FidelityReport>),
    /// The figures of a run that translates without pairs.
    Unpaired(Box<UnpairedReport>),
    /// A judge that was trained.
    Judge {
        /// Its file.
        path: PathBuf,
        /// What was measured with it.
        record: Box<JudgeRecord>,
    },
    /// What was found out about libtorch and the devices.
    Examination(Box<Examination>),
    /// All is done; of several requests, all that was asked by one.
    Done,
    /// It could not be done.
    Failed {
        /// What, where, what to do.
        message: String,
    },
}

impl Message for Task {}

impl Message for LatentRequest {}

impl Message for TaskReply {
    const MAX_ATTACHMENT: usize = MAX_ATTACHMENT;

    fn pictures(&self) -> Vec<&Pictures> {
        match self {
            Self::Pictures(pictures) | Self::Translated { pictures, .. } => vec![pictures],
            Self::Edited(edited) => vec![&edited.pictures],
            Self::Projected(projected) => vec![&projected.pictures],
            _ => Vec::new(),
        }
    }

    fn pictures_mut(&mut self) -> Vec<&mut Pictures> {
        match self {
            Self::Pictures(pictures) | Self::Translated { pictures, .. } => vec![pictures],
            Self::Edited(edited) => vec![&mut edited.pictures],
            Self::Projected(projected) => vec![&mut projected.pictures],
            _ => Vec::new(),
        }
    }
}
