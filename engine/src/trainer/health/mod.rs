//! Health checks: what a run's pictures and networks say about it while it trains (docs/HEALTH.md).
//!
//! [`probe`] measures, with [`comparison`], [`diagnosis`] turns the measurements of a run into a verdict and is pure, [`wording`] puts the
//! verdict into words, and [`monitor`] decides when the next check is due.

mod comparison;
mod diagnosis;
mod measurements;
mod monitor;
mod probe;
#[cfg(test)]
mod tests;
mod wording;

pub(super) use monitor::{Context, HealthMonitor};
