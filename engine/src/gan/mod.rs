//! Generative adversarial networks: two networks, a game between them, and the steps in which they learn it.
//!
//! Start reading at [`Session::step`].

mod adam;
mod average;
mod fit;
mod layer;
mod lens;
mod network;
mod objective;
mod painter;
mod penalty;
mod player;
mod precision;
mod schedule;
mod session;
mod snapshot;
mod tally;
mod weight;

pub use adam::Adam;
pub use fit::{Misfit, fits};
pub use layer::{Layer, Mode};
pub use network::Network;
pub use objective::{Judgement, Objective};
pub use painter::{Noise, Painter, round_robin};
pub use session::{Fault, Figures, Inspection, Session};
pub use snapshot::{Snapshot, SnapshotError};
pub use weight::Weight;
