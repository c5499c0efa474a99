//! Generators with trained weights.

use sparring_contract::config::Config;
use tch::Device;

use super::models::{PictureSpec, generator};
use crate::native::no_grad;
use crate::nn::{EMA_PREFIX, Network, StateDict, StateDictError};

/// The generator of a state, or its moving average if the configuration has one.
pub(super) fn trained_generator(
    config: &Config,
    spec: PictureSpec,
    state: &StateDict,
    device: Device,
) -> Result<Network, StateDictError> {
    let generator = generator(config, spec, device);
    let prefix = if config.ema_decay > 0.0 {
        EMA_PREFIX
    } else {
        ""
    };
    for (name, tensor) in [generator.parameters(), generator.buffers()].concat() {
        let trained = state.get(&format!("{prefix}{name}"), &tensor.size())?;
        no_grad(|| tensor.shallow_clone().copy_(trained));
    }
    Ok(generator)
}
