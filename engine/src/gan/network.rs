//! A network: layers in a row, with the names and initial weights of the equivalent `torch.nn.Sequential`.

use sparring_contract::config::{self, Architecture, Config, Normalization};
use tch::{Device, Kind, Tensor};

use super::layer::{Layer, Mode, draw};
use crate::native::Activation;
use crate::seed::{Stream, reseed};

/// Layers in a row.
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    layers: Vec<Layer>,
    condition: Option<Condition>,
}

/// How a network is told of a class (conditional GANs: Mirza and Osindero 2014).
#[derive(Debug)]
enum Condition {
    /// The class stands beside the noise, one number a class: one, and zeros.
    OneHot {
        /// How many there are.
        classes: i64,
    },
    /// The logit has a part that depends on the class: the product of its embedding and what the last layer sees
    /// (Miyato and Koyama 2018).
    Projection {
        /// `[classes, inputs of the last layer]`: in PyTorch an Embedding.
        embedding: Tensor,
    },
}

impl Network {
    /// A generator: noise `[n, latent_dim]`, and classes if it is conditional, to pictures
    /// `[n, channels, height, width]` in [-1, 1].
    ///
    /// The configuration must fit pictures of this shape ([`super::fits`]).
    pub fn generator(config: &Config, shape: [i64; 3], device: Device) -> Self {
        reseed(config.seed, Stream::Weights, 0);
        let plan = &config.generator;
        let mut builder = Builder::new(plan, device);
        let classes = config.classes.cast_signed();
        let inputs = config.latent_dim.cast_signed() + classes;
        if let (Architecture::Dcgan, Some((first, rest))) =
            (plan.architecture, widths(plan).split_first())
        {
            let [channels, height, width] = shape;
            let layers = plan.hidden.len();
            let smallest = [*first, height >> layers, width >> layers];
            builder.hidden_dense(inputs, smallest.iter().product(), Some(smallest));
            let mut inputs = *first;
            for outputs in rest {
                builder.hidden_conv(inputs, *outputs, true);
                inputs = *outputs;
            }
            builder.conv(inputs, channels, true, Activation::Tanh);
        } else {
            let inputs = builder.hidden_denses(inputs);
            builder.dense(inputs, shape.iter().product(), Activation::Tanh);
            builder.layers.push(Layer::Unflatten { shape });
        }
        Self {
            name: "generator",
            layers: builder.layers,
            condition: (classes > 0).then_some(Condition::OneHot { classes }),
        }
    }

    /// A discriminator: pictures `[n, channels, height, width]`, and classes if it is conditional, to logits `[n, 1]`,
    /// positive for «real».
    ///
    /// The sigmoid of the tutorial's last layer is part of the loss. The configuration must fit pictures of this shape
    /// ([`super::fits`]).
    pub fn discriminator(config: &Config, shape: [i64; 3], device: Device) -> Self {
        reseed(config.seed, Stream::Weights, 1);
        let plan = &config.discriminator;
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
        builder.dense(inputs, 1, Activation::Identity);
        let classes = config.classes.cast_signed();
        let projection = || Condition::Projection {
            embedding: draw(&[classes, inputs], inputs, device),
        };
        Self {
            name: "discriminator",
            layers: builder.layers,
            condition: (classes > 0).then(projection),
        }
    }

    /// `generator` or `discriminator`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Applies the layers, to learn from it; a conditional network needs the `classes` of its inputs, `[n]`, i64.
    pub fn forward(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        self.apply(input, classes, Mode::Training)
    }

    /// Applies the layers, to see what was learnt: batch norms take the statistics that they remember.
    pub fn evaluate(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        self.apply(input, classes, Mode::Evaluation)
    }

    fn apply(&self, input: &Tensor, classes: Option<&Tensor>, mode: Mode) -> Tensor {
        match (&self.condition, classes) {
            (Some(Condition::Projection { embedding }), Some(classes)) => {
                let (hidden, last) = self.layers.split_at(self.layers.len() - 1);
                let seen = through(hidden, input, mode);
                let part = (embedding.index_select(0, classes) * &seen).sum_dim_intlist(
                    1,
                    true,
                    Kind::Float,
                );
                through(last, &seen, mode) + part
            }
            _ => through(&self.layers, &self.with_classes(input, classes), mode),
        }
    }

    /// The first layer of which something is not finite on these inputs, in words; `None` if all is.
    pub(super) fn first_fault(&self, input: &Tensor, classes: Option<&Tensor>) -> Option<String> {
        let is_bad = |tensor: &Tensor| tensor.isfinite().all().int64_value(&[]) == 0;
        if let Some((name, _)) = self.parameters().iter().find(|(_, tensor)| is_bad(tensor)) {
            return Some(format!("{name} is not finite"));
        }
        let mut x = self.with_classes(input, classes);
        let mut index = 0;
        for layer in &self.layers {
            x = layer.forward(&x, Mode::Evaluation);
            if is_bad(&x) {
                return Some(format!(
                    "{}.model.{index} puts out what is not finite",
                    self.name
                ));
            }
            index += layer.modules();
        }
        None
    }

    /// The inputs of the first layer.
    fn with_classes(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        match (&self.condition, classes) {
            (Some(Condition::OneHot { classes: count }), Some(classes)) => {
                let beside = classes.one_hot(*count).to_kind(Kind::Float);
                Tensor::cat(&[input, &beside], 1)
            }
            _ => input.shallow_clone(),
        }
    }

    /// What the network learns, in order, with the names of PyTorch: `generator.model.0.weight`.
    pub fn parameters(&self) -> Vec<(String, &Tensor)> {
        let mut found = self.named(Layer::parameters);
        if let Some(Condition::Projection { embedding }) = &self.condition {
            found.push((format!("{}.embedding.weight", self.name), embedding));
        }
        found
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

fn through(layers: &[Layer], input: &Tensor, mode: Mode) -> Tensor {
    layers
        .iter()
        .fold(input.shallow_clone(), |x, layer| layer.forward(&x, mode))
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
        self.dense(inputs, outputs, own);
        self.layers
            .extend(shape.map(|shape| Layer::Unflatten { shape }));
        self.finish(norm);
    }

    fn hidden_conv(&mut self, inputs: i64, outputs: i64, transposed: bool) {
        let (own, norm) = self.norm(outputs);
        self.conv(inputs, outputs, transposed, own);
        self.finish(norm);
    }

    /// What comes after a hidden layer and its activation.
    fn finish(&mut self, norm: Option<Layer>) {
        self.layers.extend(norm);
        let share = self.plan.dropout;
        if share > 0.0 {
            self.layers.push(Layer::Dropout { share });
        }
    }

    fn dense(&mut self, inputs: i64, outputs: i64, activation: Activation) {
        let normalization = self.plan.normalization;
        self.layers.push(Layer::dense(
            inputs,
            outputs,
            activation,
            normalization,
            self.device,
        ));
    }

    fn conv(&mut self, inputs: i64, outputs: i64, transposed: bool, activation: Activation) {
        let normalization = self.plan.normalization;
        self.layers.push(Layer::conv(
            inputs,
            outputs,
            transposed,
            activation,
            normalization,
            self.device,
        ));
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
            Normalization::Batch => (
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
