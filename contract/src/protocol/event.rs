//! What happens in a run. The log on disk, `--json` and every dashboard tell the same events.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Health, KeptPoint, MetricSpec, Metrics, Purpose, Rollback, finite};
use crate::config::TaskKind;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Seconds since 1970, UTC.
    pub time: f64,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A worker took the run up, from its beginning or from a checkpoint.
    Started(Box<Started>),
    /// The run went over into another phase.
    Phase {
        /// The new phase.
        phase: Phase,
        /// Steps done.
        step: u64,
    },
    /// Figures of the steps since the last report.
    Stats(Stats),
    /// Pictures were saved.
    Samples(Sampled),
    /// A checkpoint was saved.
    Checkpoint(Checkpointed),
    /// A value of the configuration was changed while training.
    Set {
        /// Steps done.
        step: u64,
        /// The key.
        key: String,
        /// The new value.
        value: serde_json::Value,
    },
    /// The user wrote something down.
    Note {
        /// Steps done.
        step: u64,
        /// The words.
        text: String,
    },
    /// The user kept a point of the latent space.
    Kept(Box<KeptPoint>),
    /// Something is not as it should be; training goes on.
    Warning {
        /// Steps done.
        step: u64,
        /// What, and what to do.
        message: String,
    },
    /// How the run does.
    Health(Box<Health>),
    /// The verdict on the run became one that a user should look at.
    Alarm {
        /// Steps done.
        step: u64,
        /// The verdict with the figure behind it, and what to do.
        message: String,
    },
    /// A step went wrong; the run went back to the last good state.
    Rollback(Rollback),
    /// The worker is done with the run.
    Ended(Box<Ended>),
    /// An event of a newer build.
    #[serde(other)]
    Unknown,
}

/// The facts of a run as its worker starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Name of the run.
    pub run: String,
    /// Its directory.
    pub directory: PathBuf,
    /// Its preset.
    pub preset: String,
    /// What its generator learns.
    #[serde(default)]
    pub task: TaskKind,
    /// Where the images are from, in words.
    pub data: String,
    /// Images in an epoch.
    pub images: u64,
    /// The device that trains, such as `cpu` or `cuda:0`.
    pub device: String,
    /// CPU threads.
    pub threads: u32,
    /// Numbers that each network learns.
    pub parameters: Parameters,
    /// Real images per step.
    pub batch_size: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Epochs to train.
    pub epochs: u64,
    /// Step at which training is to end, as far as epochs and steps decide it.
    pub last_step: u64,
    /// Steps done before: 0, or those of the checkpoint that was resumed.
    pub step: u64,
    /// The checkpoint that was resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// What the task reports in [`Stats`]; empty in the logs of older runs.
    #[serde(default)]
    pub metrics: Vec<MetricSpec>,
    /// Names of the classes, in the order of their numbers; empty where the data has no classes.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// Whether the generator is told which class to make.
    #[serde(default)]
    pub conditional: bool,
    /// Shape of a picture, `[channels, height, width]`; zeros in the logs of older runs.
    #[serde(default)]
    pub shape: [u32; 3],
}

impl Started {
    /// What the task reports in [`Stats`], also of an older run.
    pub fn metric_specs(&self) -> Cow<'_, [MetricSpec]> {
        if self.metrics.is_empty() {
            MetricSpec::of_older_runs().into()
        } else {
            Cow::from(&self.metrics)
        }
    }
}

/// Numbers that each network learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Weights and biases of the generator.
    pub generator: u64,
    /// Weights and biases of the discriminator.
    pub discriminator: u64,
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Loading libtorch and the data.
    #[default]
    Loading,
    /// Building the networks or reading a checkpoint.
    WarmingUp,
    /// Training.
    Training,
    /// Waiting, at the user's wish.
    Paused,
    /// Writing a checkpoint.
    Saving,
    /// Done.
    Ended,
    /// A phase of a newer build.
    #[serde(other)]
    Unknown,
}

/// Figures of training, each a mean over the steps since the last report unless its spec says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Steps done.
    pub step: u64,
    /// The epoch that the last step was part of, from 1.
    pub epoch: u64,
    /// Real images seen.
    pub images_seen: u64,
    /// Real images per second of training time, that is without saving, sampling and pauses.
    #[serde(with = "finite", default = "finite::nan")]
    pub images_per_second: f64,
    /// Seconds of training since the run began, resumed parts added.
    #[serde(with = "finite", default = "finite::nan")]
    pub training_seconds: f64,
    /// What the task reports: [`Started::metrics`] says what its keys mean.
    #[serde(flatten)]
    pub metrics: Metrics,
}

impl Stats {
    /// Figures of a run that has made no step since `step`: only the counters are known.
    pub fn none_at(step: u64, epoch: u64, images_seen: u64) -> Self {
        Self {
            step,
            epoch,
            images_seen,
            images_per_second: f64::NAN,
            training_seconds: f64::NAN,
            metrics: Metrics::default(),
        }
    }
}

/// Pictures that were saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// Steps done.
    pub step: u64,
    /// Epoch of the last step.
    pub epoch: u64,
    /// The PNG file.
    pub path: PathBuf,
    /// What they were drawn from; unknown in the logs of older runs.
    #[serde(default)]
    pub purpose: Purpose,
    /// How many there are; 0 in the logs of older runs.
    #[serde(default)]
    pub count: u32,
    /// How many stand beside each other in the file; 0 in the logs of older runs.
    #[serde(default)]
    pub columns: u32,
    /// What those that belong together are, as in [`Pictures::parts`](super::Pictures::parts).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// A checkpoint that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpointed {
    /// Steps done.
    pub step: u64,
    /// Epoch of the last step.
    pub epoch: u64,
    /// The safetensors file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Whether it is the run's best by its quick distance, and not one of those that are saved every so often.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub best: bool,
}

/// Why a worker was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The epochs, steps or minutes asked for are done.
    Finished,
    /// A user stopped it.
    Stopped,
    /// Ctrl-C (SIGINT).
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// An error.
    Failed,
    /// Training went wrong again and again.
    Diverged,
    /// A reason of a newer build.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// The reason in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Unknown => "ended",
        }
    }
}

/// The end of a worker's work on a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub reason: Reason,
    /// The worker's exit code.
    pub exit_code: u8,
    /// What went wrong, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The newest checkpoint.
    pub checkpoint: Option<PathBuf>,
    /// The last figures.
    #[serde(flatten)]
    pub stats: Stats,
}
