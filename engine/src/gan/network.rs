//! A network: layers in a row, with the names and initial weights of the equivalent `torch.nn.Sequential`.

use sparring_contract::config;
use tch::{Device, Kind, Tensor};

use crate::native::{Activation, dense};
use crate::seed::{Stream, reseed};

/// One layer of a network.
#[derive(Debug)]
pub enum Layer {
    /// `[n, …]` to `[n, product of the rest]`.
    Flatten,
    /// `activation(x Wᵀ + b)`, with W `[out, in]` and b `[out]`: in PyTorch a Linear and its activation.
    Dense {
        /// W.
        weight: Tensor,
        /// b.
        bias: Tensor,
        /// What is done to the outputs.
        activation: Activation,
    },
    /// `[n, c·h·w]` to `[n, c, h, w]`.
    Unflatten {
        /// `[c, h, w]`.
        shape: [i64; 3],
    },
}

/// Layers in a row.
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    layers: Vec<Layer>,
}

impl Network {
    /// A generator: noise `[n, latent_dim]` to pictures `[n, channels, height, width]` in [-1, 1].
    pub fn generator(
        plan: &config::Network,
        latent_dim: u64,
        shape: [i64; 3],
        device: Device,
        seed: u64,
    ) -> Self {
        reseed(seed, Stream::Weights, 0);
        let mut layers = Vec::new();
        let width = hidden_layers(&mut layers, plan, latent_dim as i64, device);
        let pixels = shape.iter().product();
        layers.push(Layer::dense(width, pixels, Activation::Tanh, device));
        layers.push(Layer::Unflatten { shape });
        Self {
            name: "generator",
            layers,
        }
    }

    /// A discriminator: pictures `[n, channels, height, width]` to logits `[n, 1]`, positive for «real».
    ///
    /// The sigmoid of the tutorial's last layer is part of the loss.
    pub fn discriminator(
        plan: &config::Network,
        shape: [i64; 3],
        device: Device,
        seed: u64,
    ) -> Self {
        reseed(seed, Stream::Weights, 1);
        let mut layers = vec![Layer::Flatten];
        let width = hidden_layers(&mut layers, plan, shape.iter().product(), device);
        layers.push(Layer::dense(width, 1, Activation::Identity, device));
        Self {
            name: "discriminator",
            layers,
        }
    }

    /// `generator` or `discriminator`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Applies the layers.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        self.layers
            .iter()
            .fold(input.shallow_clone(), |x, layer| layer.forward(&x))
    }

    /// What the network learns, in order, with the names of PyTorch: `generator.model.0.weight`.
    pub fn parameters(&self) -> Vec<(String, &Tensor)> {
        let mut found = Vec::new();
        let mut index = 0;
        for layer in &self.layers {
            if let Layer::Dense { weight, bias, .. } = layer {
                found.push((format!("{}.model.{index}.weight", self.name), weight));
                found.push((format!("{}.model.{index}.bias", self.name), bias));
            }
            index += layer.modules();
        }
        found
    }

    /// Handles of what the network learns, in the order of [`Network::parameters`].
    pub fn leaves(&self) -> Vec<Tensor> {
        self.parameters()
            .into_iter()
            .map(|(_, tensor)| tensor.shallow_clone())
            .collect()
    }

    /// The device that it is on.
    pub fn device(&self) -> Device {
        self.parameters()
            .first()
            .map_or(Device::Cpu, |(_, tensor)| tensor.device())
    }

    /// Numbers that the network learns.
    pub fn size(&self) -> u64 {
        self.parameters()
            .iter()
            .map(|(_, tensor)| tensor.numel() as u64)
            .sum()
    }
}

/// Appends the hidden layers and returns the width of the last.
fn hidden_layers(
    layers: &mut Vec<Layer>,
    plan: &config::Network,
    input: i64,
    device: Device,
) -> i64 {
    let mut width = input;
    for next in plan.hidden.iter().map(|next| next.cast_signed()) {
        layers.push(Layer::dense(width, next, activation(plan), device));
        width = next;
    }
    width
}

fn activation(plan: &config::Network) -> Activation {
    match plan.activation {
        config::Activation::Relu => Activation::Relu,
        config::Activation::LeakyRelu => Activation::LeakyRelu {
            slope: plan.negative_slope,
        },
        config::Activation::Tanh => Activation::Tanh,
    }
}

impl Layer {
    /// A linear layer with the initial weights of `torch.nn.Linear`: uniform in ±1/√inputs.
    fn dense(inputs: i64, outputs: i64, activation: Activation, device: Device) -> Self {
        let bound = (inputs as f64).sqrt().recip();
        // Drawn on the CPU, so that a seed gives the same weights on every device.
        let draw = |shape: &[i64]| {
            Tensor::empty(shape, (Kind::Float, Device::Cpu))
                .uniform_(-bound, bound)
                .to_device(device)
                .set_requires_grad(true)
        };
        Self::Dense {
            weight: draw(&[outputs, inputs]),
            bias: draw(&[outputs]),
            activation,
        }
    }

    /// How many modules of a `torch.nn.Sequential` it stands for.
    fn modules(&self) -> usize {
        match self {
            Self::Dense { activation, .. } if *activation != Activation::Identity => 2,
            _ => 1,
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        match self {
            Self::Flatten => x.flatten(1, -1),
            Self::Dense {
                weight,
                bias,
                activation,
            } => dense(x, weight, bias, *activation),
            Self::Unflatten { shape } => x.view([-1, shape[0], shape[1], shape[2]]),
        }
    }
}
