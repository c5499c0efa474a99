//! Building blocks of networks, with PyTorch's names and initial weights. Nothing here knows what a network is for.

mod basis;
mod batch_norm;
mod conditioning;
mod conv;
mod dropout;
mod ema;
mod init;
mod linear;
mod module;
mod network;
mod reshape;
mod residual;
mod sequential;
mod state_dict;
mod unet;
mod weight;

pub use basis::{DiscriminativeBasis, GenerativeBasis};
pub use batch_norm::BatchNorm;
pub use conditioning::Conditioning;
pub use conv::Conv2d;
pub use dropout::Dropout;
pub use ema::{EMA_PREFIX, Ema};
pub use linear::Linear;
pub use module::{Mode, Module, NamedTensors};
pub use network::Network;
pub use reshape::{Flatten, Unflatten};
pub use residual::{Downsample, ResidualBlock, ResidualSizes, Upsample};
pub use sequential::Sequential;
pub use state_dict::{StateDict, StateDictError};
pub use unet::{FillHoles, UNet, UNetLevel};
pub use weight::{Weight, WeightNorm};
