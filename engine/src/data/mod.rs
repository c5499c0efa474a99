//! Images: where they are read from, how they are brought to one size, and the order in which they are learnt.

mod bundle;
mod cache;
mod dataset;
mod degradation;
mod error;
mod images;
mod loader;
mod parallel;
mod samples;
mod sources;
mod split;

pub use bundle::{DataBundle, MNIST_FINGERPRINT};
pub use dataset::{Batch, Dataset, typical_classes};
pub use degradation::{
    Degradation, domains, draw_masks, edges, enlarged, luma, opposites, reduced, thickened,
    thinned, towards, with_channels, with_holes,
};
pub use error::DataError;
pub use images::{Images, Part, from_bytes, to_bytes};
pub use loader::DataLoader;
pub use parallel::Progress;
pub use samples::NamedImages;
pub use sparring_contract::config::DataSource;
