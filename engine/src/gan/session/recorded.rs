//! Steps that are recorded once and then made by one call (CUDA graphs).
//!
//! The operations of a step take a few microseconds each on a GPU, and about as long to be started one by one. A recording
//! holds the operations, their memory and every number that is not on the device. So all that changes from one step to the
//! next must be on the device before it is replayed: the batch, the seed of the random numbers, the learning rates. Steps
//! that differ in anything else are of other variants, and each variant has its own recording.

use sparring_contract::config::Config;
use tch::{Device, Tensor};

use crate::data::Batch;
use crate::native::Graph;
use crate::panics::caught;

/// Steps of a variant that are made one operation at a time before it is recorded: libraries choose their algorithms in
/// them, and get the memory that they work in.
const WARM_UP: u64 = 3;

/// Training whose steps can be recorded.
pub(super) trait Recordable {
    /// What the operations of the next step depend on; `None` if no other step is like it.
    fn variant(&self) -> Option<Variant>;

    /// The batches of the next step. Seeds what the step draws.
    fn next_batches(&mut self) -> Vec<Batch>;

    /// [`Recordable::next_batches`] into the memory of batches of a step of the same variant.
    fn next_batches_into(&mut self, batches: &[Batch]);

    /// Learns from the batches of a step. All of it is done by the device, on numbers that it has.
    fn learn(&mut self, batches: &[Batch]);

    /// What the latest step left for reports.
    fn outcome(&self) -> Outcome;

    /// Takes this for what the latest step left.
    fn set_outcome(&mut self, outcome: &Outcome);
}

/// The recorded steps of a session.
#[derive(Debug, Default)]
pub(super) struct RecordedSteps {
    variants: Vec<(Variant, Progress)>,
    /// Whether nothing is recorded any more, because it failed.
    has_failed: bool,
    /// Why, until it was asked for.
    failure: Option<String>,
}

/// What the operations of a step depend on, beside numbers on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    /// Whether the discriminator's loss has a penalty.
    pub(super) has_penalty: bool,
    /// The task's own.
    pub(super) of_task: u64,
}

/// How far a variant is.
#[derive(Debug)]
enum Progress {
    /// So many steps were made.
    WarmingUp(u64),
    Recorded(Recording),
}

#[derive(Debug)]
struct Recording {
    graph: Graph,
    /// The memory that it reads batches from.
    batches: Vec<Batch>,
    /// What it leaves: both networks' losses and gradients.
    outcome: Outcome,
}

/// What a step leaves in a session for its reports.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) losses: Option<[Tensor; 2]>,
    pub(super) generator_gradients: Vec<Tensor>,
    pub(super) discriminator_gradients: Vec<Tensor>,
}

impl RecordedSteps {
    /// Whether a session of this configuration records its steps.
    pub(super) fn are_wanted(config: &Config, device: Device) -> bool {
        // With several turns of the generator its average moves between them, how far depends on the step.
        let average_moves_within = config.ema_decay > 0.0 && config.generator_steps > 1;
        device.is_cuda() && config.cuda_graphs && !average_moves_within
    }

    /// Why the steps are made without recordings although they were wanted; once.
    pub(super) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// The session learns from its next batches: as [`learn_now`] has it learn, and to the same bits.
    pub(super) fn step(&mut self, session: &mut impl Recordable) {
        let Some(variant) = session.variant().filter(|_| !self.has_failed) else {
            return learn_now(session);
        };
        let known = self
            .variants
            .iter()
            .position(|(known, _)| *known == variant);
        let place = known.unwrap_or_else(|| {
            self.variants.push((variant, Progress::WarmingUp(0)));
            self.variants.len() - 1
        });
        match &mut self.variants[place].1 {
            Progress::Recorded(recording) => recording.make(session),
            Progress::WarmingUp(steps) if *steps < WARM_UP => {
                *steps += 1;
                learn_now(session);
            }
            Progress::WarmingUp(_) => match caught(|| Recording::of(session)) {
                Ok(recording) => {
                    recording.make(session);
                    self.variants[place].1 = Progress::Recorded(recording);
                }
                Err(panic) => {
                    self.has_failed = true;
                    self.failure = Some(panic.to_string());
                    learn_now(session);
                }
            },
        }
    }
}

/// A step, one operation at a time.
pub(super) fn learn_now(session: &mut impl Recordable) {
    let batches = session.next_batches();
    session.learn(&batches);
}

impl Recording {
    /// Records the session's next step without making it.
    fn of(session: &mut impl Recordable) -> Self {
        let batches = session.next_batches();
        let (graph, ()) = Graph::record(|| session.learn(&batches));
        Self {
            graph,
            outcome: session.outcome(),
            batches,
        }
    }

    /// Makes the session's next step.
    fn make(&self, session: &mut impl Recordable) {
        session.next_batches_into(&self.batches);
        self.graph.replay();
        session.set_outcome(&self.outcome);
    }
}
