//! A whole network: a model and, if it is conditional, the place where the class enters.

use tch::{Device, Tensor};

use super::conditioning::Conditioning;
use super::module::{Mode, Module, NamedTensors};
use super::sequential::{Sequential, is_finite};

/// A named network.
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    model: Sequential,
    conditioning: Option<Conditioning>,
}

impl Network {
    /// A network whose tensors have names such as `NAME.model.0.weight`.
    pub fn new(name: &'static str, model: Sequential, conditioning: Option<Conditioning>) -> Self {
        Self {
            name,
            model,
            conditioning,
        }
    }

    /// Its name, such as `generator`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The output in training. A conditional network needs the `classes` of its inputs, `[n]`, i64.
    pub fn forward(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        self.apply(input, classes, Mode::Train)
    }

    /// The output of the trained network: batch norms use their running statistics.
    pub fn evaluate(&self, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
        self.apply(input, classes, Mode::Eval)
    }

    fn apply(&self, input: &Tensor, classes: Option<&Tensor>, mode: Mode) -> Tensor {
        let (Some(conditioning), Some(classes)) = (&self.conditioning, classes) else {
            return self.model.forward(input, mode);
        };
        let input = conditioning.input(input, classes);
        let [features, output] = self.model.forward_with_features(&input, mode);
        conditioning.output(&features, output, classes)
    }

    /// The first parameter that is not finite, or else the first layer whose output is not finite on this input, in
    /// words; `None` if all are. Waits for the device.
    pub fn first_non_finite(&self, input: &Tensor, classes: Option<&Tensor>) -> Option<String> {
        let parameters = self.parameters();
        if let Some((name, _)) = parameters.iter().find(|(_, tensor)| !is_finite(tensor)) {
            return Some(format!("{name} is not finite"));
        }
        let input = match (&self.conditioning, classes) {
            (Some(conditioning), Some(classes)) => conditioning.input(input, classes),
            _ => input.shallow_clone(),
        };
        let index = self.model.first_non_finite(&input)?;
        let name = self.name;
        Some(format!("the output of {name}.model.{index} is not finite"))
    }

    /// What the optimiser trains, in order, with PyTorch's names: `generator.model.0.weight`.
    pub fn parameters(&self) -> NamedTensors<'_> {
        let mut named = self.within_model(self.model.parameters());
        if let Some(Conditioning::Projection { embedding }) = &self.conditioning {
            named.push((format!("{}.embedding.weight", self.name), embedding));
        }
        named
    }

    /// The rest of its state, in order: `generator.model.2.running_mean`.
    pub fn buffers(&self) -> NamedTensors<'_> {
        self.within_model(self.model.buffers())
    }

    fn within_model<'a>(&self, named: NamedTensors<'a>) -> NamedTensors<'a> {
        let named = named.into_iter();
        named
            .map(|(name, tensor)| (format!("{}.model.{name}", self.name), tensor))
            .collect()
    }

    /// The parameters without their names, in the same order. They share memory with the network.
    pub fn parameter_tensors(&self) -> Vec<Tensor> {
        let parameters = self.parameters().into_iter();
        parameters
            .map(|(_, tensor)| tensor.shallow_clone())
            .collect()
    }

    /// The buffers without their names, in the same order. They share memory with the network.
    pub fn buffer_tensors(&self) -> Vec<Tensor> {
        let buffers = self.buffers().into_iter();
        buffers.map(|(_, tensor)| tensor.shallow_clone()).collect()
    }

    /// Parameters and buffers without their names, in the same order. They share memory with the network.
    pub fn state_tensors(&self) -> Vec<Tensor> {
        let mut tensors = self.parameter_tensors();
        tensors.extend(self.buffer_tensors());
        tensors
    }

    /// The device that it is on.
    pub fn device(&self) -> Device {
        let parameters = self.parameters();
        parameters
            .first()
            .map_or(Device::Cpu, |(_, tensor)| tensor.device())
    }

    /// Number of trained scalars.
    pub fn num_parameters(&self) -> u64 {
        let parameters = self.parameters();
        parameters
            .iter()
            .map(|(_, tensor)| tensor.numel() as u64)
            .sum()
    }
}
