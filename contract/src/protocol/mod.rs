//! What a face and a worker say to each other, and how it travels.
//!
//! Messages are JSON in frames of known length, with the pixels of pictures beside it. They describe themselves: a
//! reader passes over fields, events and messages that it does not know. So a face can watch and steer a worker of
//! another build, as long as both speak the same [`PROTOCOL`].

mod command;
mod data;
mod describe;
mod event;
mod examination;
mod exploration;
mod fidelity;
mod finite;
mod frame;
mod health;
mod latent;
mod link;
mod metric;
mod pictures;
mod report;
mod task;
mod translation;
mod unpaired;

pub use command::{Ack, Command, MAX_NOTE, Outcome};
pub use data::{ClassCount, DataReport, Skipped, SourceSizes};
pub use event::{
    Checkpointed, Ended, Event, Parameters, Phase, Reason, Record, Sampled, Started, Stats,
};
pub use examination::{DeviceChoice, DeviceFacts, DriverFacts, Examination, Libtorch};
pub use exploration::{Coordinate, Exploration, KeptPoint};
pub use fidelity::{Fidelity, FidelityReport, MethodFigures};
pub use frame::{
    Frame, FrameError, MAX_ATTACHMENT, MAX_HEADER, Message, encode, encode_hello, read_frame,
    write_frame,
};
pub use health::{Best, Health, Quality, Rollback, Verdict};
pub use latent::{
    Closeness, EditTrials, Edited, LatentNoise, LatentPoint, LatentRequest, LatentTask, Projected,
};
pub use link::{FaceHello, Machine, Snapshot, ToFace, ToWorker, WorkerHello};
pub use metric::{Better, MetricKind, MetricSpec, Metrics, Reference};
pub use pictures::{Pictures, Purpose};
pub use report::{Augmentation, Control, FeatureKind, Figures, Report, Second};
pub use task::{Subject, Task, TaskReply, Truncation};
pub use translation::{MaskChoice, Translation};
pub use unpaired::{Direction, TranslatedBy, UnpairedReport};

/// Version of the messages. It grows when an old reader would misunderstand a new message, not when messages or
/// fields are added. Only the layout of a hello never changes, see [`encode_hello`].
pub const PROTOCOL: u32 = 3;
