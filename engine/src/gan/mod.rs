//! Generative adversarial networks: two networks, a game between them, and the steps in which they learn it.
//!
//! Start reading at [`Session::step`].

mod adam;
mod fit;
mod layer;
mod network;
mod objective;
mod painter;
mod session;
mod snapshot;
mod tally;

pub use adam::Adam;
pub use fit::{Misfit, fits};
pub use layer::{Layer, Mode};
pub use network::Network;
pub use objective::{Judgement, generator_loss};
pub use painter::{Noise, Painter};
pub use session::{Figures, Session};
pub use snapshot::{Snapshot, SnapshotError};
