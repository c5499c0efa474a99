//! The messages on a worker's socket.

use serde::{Deserialize, Serialize};

use super::{
    Ack, Command, MAX_ATTACHMENT, Message, Phase, Pictures, Quality, Record, Started, Stats,
};

/// What a face sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToWorker {
    /// The first message.
    Hello(FaceHello),
    /// A command, with a number that its answer will carry.
    Request {
        /// The number, unique within the connection.
        id: u64,
        /// The command.
        #[serde(flatten)]
        command: Command,
    },
    /// A message of a newer build.
    #[serde(other)]
    Unknown,
}

/// Who a face is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceHello {
    /// [`super::PROTOCOL`] of the face.
    pub protocol: u32,
    /// Whether it wants the snapshot and what follows; a command of the shell wants only its answer.
    pub watch: bool,
    /// Whether it may give commands.
    pub read_only: bool,
}

/// What a worker sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToFace {
    /// The first message.
    Hello(WorkerHello),
    /// Everything a face needs to begin, or to begin anew after it lagged.
    Snapshot(Box<Snapshot>),
    /// One more event.
    Event {
        /// Numbers events without a gap; a snapshot says up to which it reaches.
        sequence: u64,
        /// The event, as the log has it. It stands apart from the message, because some events have a `message`
        /// of their own.
        record: Record,
    },
    /// Newer pictures; older ones on their way may be left out.
    Pictures(Pictures),
    /// A newer reading of the machine.
    Machine(Machine),
    /// The answer to a command of this face.
    Ack(Ack),
    /// Something was too long for a message and was left out.
    Omitted {
        /// What, and why.
        what: String,
    },
    /// A message of a newer build.
    #[serde(other)]
    Unknown,
}

impl Message for ToWorker {}

impl Message for ToFace {
    const MAX_ATTACHMENT: usize = MAX_ATTACHMENT;

    fn pictures(&self) -> Vec<&Pictures> {
        match self {
            Self::Snapshot(snapshot) => snapshot.pictures.iter().collect(),
            Self::Pictures(pictures) => vec![pictures],
            Self::Hello(_)
            | Self::Event { .. }
            | Self::Machine(_)
            | Self::Ack(_)
            | Self::Omitted { .. }
            | Self::Unknown => Vec::new(),
        }
    }

    fn pictures_mut(&mut self) -> Vec<&mut Pictures> {
        match self {
            Self::Snapshot(snapshot) => snapshot.pictures.iter_mut().collect(),
            Self::Pictures(pictures) => vec![pictures],
            Self::Hello(_)
            | Self::Event { .. }
            | Self::Machine(_)
            | Self::Ack(_)
            | Self::Omitted { .. }
            | Self::Unknown => Vec::new(),
        }
    }
}

/// Who a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerHello {
    /// [`super::PROTOCOL`] of the worker.
    pub protocol: u32,
    /// Its build id.
    pub build: String,
    /// The run it trains.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// Whether it serves as many faces as it can and turns this one away. Older workers close the connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
}

/// The state of a run, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last event that this snapshot reflects.
    pub sequence: u64,
    /// What the worker is doing.
    pub phase: Phase,
    /// The facts of the run; none while the worker is loading.
    pub started: Option<Box<Started>>,
    /// The configuration in force, as TOML.
    pub config: String,
    /// Reports since the run began, thinned out evenly when there are many, oldest first.
    pub history: Vec<Stats>,
    /// What happened lately, reports and health left out, oldest first.
    pub log: Vec<Record>,
    /// The newest [`super::Event::Health`].
    #[serde(default)]
    pub health: Option<Box<Record>>,
    /// The quality curve since the run began, thinned out evenly when it is long, oldest first.
    #[serde(default)]
    pub quality: Vec<Quality>,
    /// The newest pictures of each purpose.
    pub pictures: Vec<Pictures>,
    /// The newest reading of the machine.
    pub machine: Option<Machine>,
}

/// A reading of the machine that trains. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Load of all cores, 0 to 100.
    pub cpu_percent: Option<f32>,
    /// Memory of the worker.
    pub worker_bytes: Option<u64>,
    /// Memory of the machine in use.
    pub memory_used: Option<u64>,
    /// Memory of the machine.
    pub memory_total: Option<u64>,
    /// Name of the GPU that trains.
    pub gpu: Option<String>,
    /// Load of the GPU, 0 to 100.
    pub gpu_percent: Option<f32>,
    /// Memory of the GPU in use.
    pub gpu_memory_used: Option<u64>,
    /// Memory of the GPU.
    pub gpu_memory_total: Option<u64>,
    /// Temperature of the GPU in °C.
    pub gpu_celsius: Option<f32>,
    /// Power of the GPU in watts.
    pub gpu_watts: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_worker_knows_nothing_of_health() {
        let mut snapshot = serde_json::to_value(Snapshot::default()).unwrap();
        for newer in ["health", "quality"] {
            snapshot.as_object_mut().unwrap().remove(newer).unwrap();
        }
        let read: Snapshot = serde_json::from_value(snapshot).unwrap();
        assert_eq!(read, Snapshot::default());
    }
}
