//! A network: layers in a row, with the names and initial weights of the equivalent `torch.nn.Sequential`.

use sparring_contract::config::{self, Architecture, Normalization};
use tch::{Device, Tensor};

use super::layer::{Layer, Mode};
use crate::native::Activation;
use crate::seed::{Stream, reseed};

/// Layers in a row.
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    layers: Vec<Layer>,
}

impl Network {
    /// A generator: noise `[n, latent_dim]` to pictures `[n, channels, height, width]` in [-1, 1].
    ///
    /// The plan must fit pictures of this shape ([`super::fits`]).
    pub fn generator(
        plan: &config::Network,
        latent_dim: u64,
        shape: [i64; 3],
        device: Device,
        seed: u64,
    ) -> Self {
        reseed(seed, Stream::Weights, 0);
        let mut builder = Builder::new(plan, device);
        let latent_dim = latent_dim.cast_signed();
        if let (Architecture::Dcgan, Some((first, rest))) =
            (plan.architecture, widths(plan).split_first())
        {
            let [channels, height, width] = shape;
            let layers = plan.hidden.len();
            let smallest = [*first, height >> layers, width >> layers];
            builder.hidden_dense(latent_dim, smallest.iter().product(), Some(smallest));
            let mut inputs = *first;
            for outputs in rest {
                builder.hidden_conv(inputs, *outputs, true);
                inputs = *outputs;
            }
            let last = Layer::conv(inputs, channels, true, Activation::Tanh, device);
            builder.layers.push(last);
        } else {
            let inputs = builder.hidden_denses(latent_dim);
            let pixels = shape.iter().product();
            let last = Layer::dense(inputs, pixels, Activation::Tanh, device);
            builder.layers.push(last);
            builder.layers.push(Layer::Unflatten { shape });
        }
        Self {
            name: "generator",
            layers: builder.layers,
        }
    }

    /// A discriminator: pictures `[n, channels, height, width]` to logits `[n, 1]`, positive for «real».
    ///
    /// The sigmoid of the tutorial's last layer is part of the loss. The plan must fit pictures of this shape
    /// ([`super::fits`]).
    pub fn discriminator(
        plan: &config::Network,
        shape: [i64; 3],
        device: Device,
        seed: u64,
    ) -> Self {
        reseed(seed, Stream::Weights, 1);
        let mut builder = Builder::new(plan, device);
        let inputs = if plan.architecture == Architecture::Dcgan {
            let [mut channels, height, width] = shape;
            for outputs in widths(plan) {
                builder.hidden_conv(channels, outputs, false);
                channels = outputs;
            }
            builder.layers.push(Layer::Flatten);
            let layers = plan.hidden.len();
            channels * (height >> layers) * (width >> layers)
        } else {
            builder.layers.push(Layer::Flatten);
            builder.hidden_denses(shape.iter().product())
        };
        let last = Layer::dense(inputs, 1, Activation::Identity, device);
        builder.layers.push(last);
        Self {
            name: "discriminator",
            layers: builder.layers,
        }
    }

    /// `generator` or `discriminator`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Applies the layers, to learn from it.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        self.apply(input, Mode::Training)
    }

    /// Applies the layers, to see what was learnt: batch norms take the statistics that they remember.
    pub fn evaluate(&self, input: &Tensor) -> Tensor {
        self.apply(input, Mode::Evaluation)
    }

    fn apply(&self, input: &Tensor, mode: Mode) -> Tensor {
        self.layers
            .iter()
            .fold(input.shallow_clone(), |x, layer| layer.forward(&x, mode))
    }

    /// What the network learns, in order, with the names of PyTorch: `generator.model.0.weight`.
    pub fn parameters(&self) -> Vec<(String, &Tensor)> {
        self.named(Layer::parameters)
    }

    /// What the network remembers beside, in order: `generator.model.2.running_mean`.
    pub fn buffers(&self) -> Vec<(String, &Tensor)> {
        self.named(Layer::buffers)
    }

    fn named<'a>(
        &'a self,
        of: impl Fn(&'a Layer) -> Vec<(&'static str, &'a Tensor)>,
    ) -> Vec<(String, &'a Tensor)> {
        let mut found = Vec::new();
        let mut index = 0;
        for layer in &self.layers {
            for (name, tensor) in of(layer) {
                found.push((format!("{}.model.{index}.{name}", self.name), tensor));
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

/// A row of layers that grows.
struct Builder<'a> {
    plan: &'a config::Network,
    device: Device,
    layers: Vec<Layer>,
}

impl<'a> Builder<'a> {
    fn new(plan: &'a config::Network, device: Device) -> Self {
        Self {
            plan,
            device,
            layers: Vec::new(),
        }
    }

    /// Appends the hidden layers of a multi-layer perceptron and returns the width of the last.
    fn hidden_denses(&mut self, inputs: i64) -> i64 {
        widths(self.plan)
            .into_iter()
            .fold(inputs, |inputs, outputs| {
                self.hidden_dense(inputs, outputs, None);
                outputs
            })
    }

    /// A linear layer, whose outputs may be brought into the shape of pictures, its norm and its activation.
    fn hidden_dense(&mut self, inputs: i64, outputs: i64, shape: Option<[i64; 3]>) {
        let channels = shape.map_or(outputs, |shape| shape[0]);
        let (own, norm) = self.norm(channels);
        self.layers
            .push(Layer::dense(inputs, outputs, own, self.device));
        self.layers
            .extend(shape.map(|shape| Layer::Unflatten { shape }));
        self.layers.extend(norm);
    }

    fn hidden_conv(&mut self, inputs: i64, outputs: i64, transposed: bool) {
        let (own, norm) = self.norm(outputs);
        self.layers
            .push(Layer::conv(inputs, outputs, transposed, own, self.device));
        self.layers.extend(norm);
    }

    /// The activation of a layer, and the norm that comes after it and takes over its activation.
    fn norm(&self, channels: i64) -> (Activation, Option<Layer>) {
        let activation = match self.plan.activation {
            config::Activation::Relu => Activation::Relu,
            config::Activation::LeakyRelu => Activation::LeakyRelu {
                slope: self.plan.negative_slope,
            },
            config::Activation::Tanh => Activation::Tanh,
        };
        match self.plan.normalization {
            Some(Normalization::Batch) => (
                Activation::Identity,
                Some(Layer::norm(channels, activation, self.device)),
            ),
            _ => (activation, None),
        }
    }
}

fn widths(plan: &config::Network) -> Vec<i64> {
    plan.hidden
        .iter()
        .map(|width| width.cast_signed())
        .collect()
}
