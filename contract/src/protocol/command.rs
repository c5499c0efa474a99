//! What a face can ask of a worker.

use serde::{Deserialize, Serialize};

use super::Exploration;

/// The longest note, in bytes. Every face that comes later is told of the latest notes.
pub const MAX_NOTE: usize = 4096;

/// A wish of the user. A key of the dashboard and a command of the shell say the same thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Wait before the next step.
    Pause,
    /// Go on.
    Resume,
    /// Make so many steps, then wait.
    Step {
        /// How many, at least 1.
        steps: u64,
    },
    /// Draw pictures from fresh noise, show them to every face and save them as a PNG in `samples/`.
    Sample {
        /// How many, 1 to 256.
        count: u64,
        /// Seed of the noise; the step's own if none is given.
        seed: Option<u64>,
    },
    /// The same of one class of a conditional model. It is a command of its own, because an older worker would pass over
    /// a field that it does not know and draw every class; a command that it does not know it refuses.
    SampleClass {
        /// The label of the class.
        class: u64,
        /// How many, 1 to 256.
        count: u64,
        /// Seed of the noise; the step's own if none is given.
        seed: Option<u64>,
    },
    /// Draw pictures of a point of the latent space and of its neighbours, and show them to every face. The answer's detail
    /// are the names of the run's directions, separated by commas.
    Explore(Exploration),
    /// Keep a point of the latent space: in the log, and its picture as a PNG in `samples/`. The answer's detail is its
    /// name.
    Keep(Exploration),
    /// Save a checkpoint.
    Checkpoint,
    /// Change a value of the configuration.
    Set {
        /// A key that may change while training.
        key: String,
        /// Its new value.
        value: serde_json::Value,
    },
    /// Write something down in the log.
    Note {
        /// The words.
        text: String,
    },
    /// End the run.
    Stop {
        /// Save a checkpoint first.
        save: bool,
    },
    /// A command of a newer build.
    #[serde(other)]
    Unknown,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    /// The number that the face gave its command.
    pub id: u64,
    /// The step at which it took effect, or was refused.
    pub step: u64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Done {
        /// What there is to say about it, such as the file that was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// It was not.
    Refused {
        /// Why, and what would work.
        reason: String,
    },
    /// An outcome of a newer build.
    #[serde(other)]
    Unknown,
}
