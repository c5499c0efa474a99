//! How a network is told the class (conditional GANs: Mirza and Osindero 2014).

use tch::{Device, Kind, Tensor};

use super::init::uniform;

/// Where the class enters a network.
#[derive(Debug)]
pub enum Conditioning {
    /// Beside the input, as a one-hot vector.
    OneHot {
        /// Number of classes.
        num_classes: i64,
    },
    /// In the logit, which gains the product of the class's embedding and the input of the last layer (Miyato and
    /// Koyama 2018, equation 3).
    Projection {
        /// `[classes, inputs of the last layer]`: the weight of a `torch.nn.Embedding`.
        embedding: Tensor,
    },
}

impl Conditioning {
    /// A projection for a last layer with this many inputs.
    pub fn projection(num_classes: i64, features: i64, device: Device) -> Self {
        Self::Projection {
            embedding: uniform(&[num_classes, features], features, device),
        }
    }

    /// The input of the first layer: with one-hot conditioning `[n, inputs + classes]`. `classes` is `[n]`, i64, or
    /// weights of all classes, `[n, classes]`, f32, where one class fades into another.
    pub(super) fn input(&self, input: &Tensor, classes: &Tensor) -> Tensor {
        match self {
            Self::OneHot { num_classes } => {
                let weights = match classes.kind() {
                    Kind::Float => classes.shallow_clone(),
                    _ => classes.one_hot(*num_classes).to_kind(Kind::Float),
                };
                Tensor::cat(&[input, &weights], 1)
            }
            Self::Projection { .. } => input.shallow_clone(),
        }
    }

    /// The output `[n, 1]`, from the last layer's input `[n, features]` and its own output.
    pub(super) fn output(&self, features: &Tensor, output: Tensor, classes: &Tensor) -> Tensor {
        match self {
            Self::OneHot { .. } => output,
            Self::Projection { embedding } => {
                let product = embedding.index_select(0, classes) * features;
                output + product.sum_dim_intlist(1, true, Kind::Float)
            }
        }
    }
}
