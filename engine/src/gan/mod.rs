//! Generative adversarial networks: two networks, a game between them, and the steps in which they learn it.
//!
//! Start reading at [`Session::step`].

mod adam;
mod network;
mod objective;
mod painter;
mod session;
mod snapshot;
mod tally;

pub use adam::Adam;
pub use network::{Layer, Network};
pub use objective::{Judgement, generator_loss};
pub use painter::{Noise, Painter};
pub use session::{Figures, Session};
pub use snapshot::{Snapshot, SnapshotError};
