//! Networks with trained weights.

use sparring_contract::config::Config;
use tch::Device;

use super::models::{PictureSpec, discriminator, generator};
use crate::native::no_grad;
use crate::nn::{EMA_PREFIX, Network, StateDict, StateDictError};

/// The generator of a state, or its moving average if the configuration has one.
pub fn trained_generator(
    config: &Config,
    spec: PictureSpec,
    state: &StateDict,
    device: Device,
) -> Result<Network, StateDictError> {
    let prefix = if config.ema_decay > 0.0 {
        EMA_PREFIX
    } else {
        ""
    };
    with_weights(generator(config, spec, device), state, prefix)
}

/// The discriminator of a state.
pub fn trained_discriminator(
    config: &Config,
    spec: PictureSpec,
    state: &StateDict,
    device: Device,
) -> Result<Network, StateDictError> {
    with_weights(discriminator(config, spec, device), state, "")
}

fn with_weights(
    network: Network,
    state: &StateDict,
    prefix: &str,
) -> Result<Network, StateDictError> {
    for (name, tensor) in [network.parameters(), network.buffers()].concat() {
        let trained = state.get(&format!("{prefix}{name}"), &tensor.size())?;
        no_grad(|| tensor.shallow_clone().copy_(trained));
    }
    Ok(network)
}
