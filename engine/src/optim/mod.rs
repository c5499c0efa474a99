//! What trains a network: Adam, the learning-rate schedule and the precision of a forward pass.

mod adam;
mod network_optimizer;
mod precision;
mod schedule;

pub use adam::Adam;
pub use network_optimizer::NetworkOptimizer;
pub use precision::Precision;
pub use schedule::LearningRateSchedule;
