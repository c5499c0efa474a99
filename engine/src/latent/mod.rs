//! The latent space of a trained generator: what its places have in common, and where a picture lies in it.

mod direction;
mod path;
mod property;
mod repair;
mod search;
mod space;
mod walk;

pub use direction::{Direction, DirectionKind, directions};
pub use path::{Stop, path};
pub use property::Property;
pub use repair::LatentRepair;
pub use search::{Critic, Found, Query, SAMPLES, search};
pub use space::LatentSpace;
pub use walk::walk;
