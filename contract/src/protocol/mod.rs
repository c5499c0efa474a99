//! What a face and a worker say to each other, and how it travels.
//!
//! Messages are JSON in frames of known length. They describe themselves: a reader passes over fields, events and
//! messages that it does not know, so that a newer face can watch, pause, save and stop an older worker.

mod command;
mod describe;
mod event;
mod finite;
mod frame;
mod health;
mod link;
mod metric;
mod pictures;
mod report;
mod task;

pub use command::{Ack, Command, Outcome};
pub use event::{
    Checkpointed, Ended, Event, Parameters, Phase, Reason, Record, Sampled, Started, Stats,
};
pub use frame::{FrameError, MAX_FRAME, decode, encode, read_frame, write_frame};
pub use health::{Best, Health, Quality, Rollback, Verdict};
pub use link::{FaceHello, Machine, Snapshot, ToFace, ToWorker, WorkerHello};
pub use metric::{Better, MetricKind, MetricSpec, Metrics};
pub use pictures::{Pictures, Purpose};
pub use report::{Augmentation, Control, FeatureKind, Figures, Report, Second};
pub use task::{Subject, Task, TaskReply};

/// Version of the messages. It grows when an old reader would misunderstand a new message, not when messages or
/// fields are added.
pub const PROTOCOL: u32 = 2;
