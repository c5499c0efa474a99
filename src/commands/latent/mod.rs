//! `sparring interpolate`, `sparring edit` and `sparring project`, and `sparring sample --point`

mod edit;
mod interpolate;
mod point;
mod project;
mod sample;
mod subject;

pub(super) use edit::edit;
pub(super) use interpolate::interpolate;
pub(super) use project::project;
pub(super) use sample::sample_points;
