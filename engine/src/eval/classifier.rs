//! The network that looks at digits.

use tch::nn::{Init, Path};
use tch::{Device, Kind, Tensor, no_grad};

use super::chunks;

/// Numbers that say how a digit looks to a judge.
pub const FEATURES: i64 = 64;

/// Pixels down and across of a picture that a judge can look at.
pub const SIDE: i64 = 28;

/// Classes of digits.
pub const CLASSES: usize = 10;

/// Pictures that are looked at in one go: what the first convolution makes of them is 5 MB.
const CHUNK: i64 = 100;

/// Mean and standard deviation of the pixels of MNIST's training images, as shares of white.
const PIXELS: (f64, f64) = (0.1307, 0.3081);

/// Three convolutions, 64 features, ten logits; 115,114 numbers.
///
/// The features are a linear layer without a squashing function after it. With a tanh there, in a trial, a blur read 9
/// times the floor and ten class Gaussians 11 times: what makes a picture odd had been pressed into the corners.
#[derive(Debug)]
pub struct Classifier {
    /// Convolutions of 3×3 that keep the size.
    convolutions: [Layer; 3],
    /// To the features.
    features: Layer,
    /// From the features to the logits.
    output: Layer,
}

#[derive(Debug)]
struct Layer {
    weight: Tensor,
    bias: Tensor,
}

/// What a judge saw in some pictures.
#[derive(Debug)]
pub struct Predictions {
    /// `[n, 64]`, f64.
    pub features: Tensor,
    /// Share of the pictures that were taken for each digit.
    pub histogram: [f64; CLASSES],
    /// Mean probability of the class that each was taken for.
    pub confidence: f64,
    /// The class that each was taken for, `[n]`, i64.
    pub classes: Tensor,
}

/// The layers' names and the shapes of their weights; a bias has the first size.
const LAYERS: [(&str, &[i64]); 5] = [
    ("convolution.1", &[16, 1, 3, 3]),
    ("convolution.2", &[32, 16, 3, 3]),
    ("convolution.3", &[32, 32, 3, 3]),
    ("features", &[FEATURES, 32 * 7 * 7]),
    ("output", &[CLASSES as i64, FEATURES]),
];

impl Classifier {
    /// A classifier that knows nothing, its weights among the variables of `root`, with the initial values of
    /// `torch.nn`: uniform in ±1/√inputs.
    pub(super) fn untaught(root: &Path) -> Self {
        Self::of(|name, shape, inputs| {
            let bound = (inputs as f64).sqrt().recip();
            let init = Init::Uniform {
                lo: -bound,
                up: bound,
            };
            // To tch a dot is no part of a name.
            Some(root.var(&name.replace('.', "_"), shape, init))
        })
        .unwrap_or_else(|| unreachable!("every weight was made"))
    }

    /// A classifier from its weights by name; `None` if one is missing or has another shape.
    pub(super) fn from_weights(weights: &[(String, Tensor)]) -> Option<Self> {
        Self::of(|name, shape, _| {
            let (_, weight) = weights.iter().find(|(known, _)| known == name)?;
            (weight.size() == shape).then(|| weight.to_kind(Kind::Float))
        })
    }

    /// The same with weights in half precision, as its file has them.
    pub(super) fn halved(&self) -> Self {
        let halved: Vec<_> = self
            .weights()
            .into_iter()
            .map(|(name, weight)| (name, weight.detach().to_kind(Kind::Half)))
            .collect();
        Self::from_weights(&halved).unwrap_or_else(|| unreachable!("its own weights fit"))
    }

    /// Builds the layers from what `weight` gives for a name, a shape and the number of inputs.
    fn of(weight: impl Fn(&str, &[i64], i64) -> Option<Tensor>) -> Option<Self> {
        let layer = |index: usize| {
            let (name, shape) = LAYERS[index];
            let inputs = shape[1..].iter().product();
            Some(Layer {
                weight: weight(&format!("{name}.weight"), shape, inputs)?,
                bias: weight(&format!("{name}.bias"), &shape[..1], inputs)?,
            })
        };
        Some(Self {
            convolutions: [layer(0)?, layer(1)?, layer(2)?],
            features: layer(3)?,
            output: layer(4)?,
        })
    }

    /// The weights and their names, in a fixed order.
    pub fn weights(&self) -> Vec<(String, &Tensor)> {
        let [first, second, third] = &self.convolutions;
        LAYERS
            .iter()
            .zip([first, second, third, &self.features, &self.output])
            .flat_map(|((name, _), layer)| {
                [
                    (format!("{name}.weight"), &layer.weight),
                    (format!("{name}.bias"), &layer.bias),
                ]
            })
            .collect()
    }

    /// Features `[n, 64]` and logits `[n, 10]` of pictures `[n, 1, 28, 28]` with values from 0 to 1. While it is
    /// `taught`, it forgets a share `dropout` of what goes into the last two layers.
    pub(super) fn forward(
        &self,
        pictures: &Tensor,
        dropout: f64,
        taught: bool,
    ) -> (Tensor, Tensor) {
        let (mean, deviation) = PIXELS;
        let mut x = (pictures - mean) / deviation;
        for (index, layer) in self.convolutions.iter().enumerate() {
            x = x.conv2d(&layer.weight, Some(&layer.bias), 1, 1, 1, 1);
            if index < 2 {
                x = pooled(&x);
            }
            x = x.relu();
        }
        let x = x.flatten(1, -1).dropout(dropout, taught);
        let features = x.linear(&self.features.weight, Some(&self.features.bias));
        let logits = features
            .dropout(dropout, taught)
            .linear(&self.output.weight, Some(&self.output.bias));
        (features, logits)
    }

    /// Looks at pictures `[n, 1, 28, 28]`, u8, n ≥ 1.
    pub fn look(&self, pictures: &Tensor) -> Predictions {
        no_grad(|| {
            let count = pictures.size()[0];
            let (mut features, mut probabilities) = (Vec::new(), Vec::new());
            for (first, length) in chunks(count, CHUNK) {
                let chunk = pictures
                    .narrow(0, first, length)
                    .to_device(Device::Cpu)
                    .to_kind(Kind::Float)
                    / 255.0;
                let (seen, logits) = self.forward(&chunk, 0.0, false);
                features.push(seen.to_kind(Kind::Double));
                probabilities.push(logits.to_kind(Kind::Double).softmax(1, Kind::Double));
            }
            let (best, classes) = Tensor::cat(&probabilities, 0).max_dim(1, false);
            Predictions {
                features: Tensor::cat(&features, 0),
                histogram: shares(&classes),
                confidence: best.mean(Kind::Double).double_value(&[]),
                classes,
            }
        })
    }

    /// Share of pictures that are taken for what their labels (`[n]`, i64) say.
    pub fn accuracy(&self, pictures: &Tensor, labels: &Tensor) -> f64 {
        self.look(pictures)
            .classes
            .eq_tensor(labels)
            .to_kind(Kind::Double)
            .mean(Kind::Double)
            .double_value(&[])
    }
}

/// The greatest of each 2×2 pixels, of `[n, c, h, w]` with even h and w, to the last digit but one.
///
/// libtorch's own pooling goes through such pictures number by number, and so does the gradient of its `maximum`: both
/// take several times as long as the sum a + relu(b − a).
fn pooled(x: &Tensor) -> Tensor {
    let size = x.size();
    let greater = |pairs: &Tensor| {
        let first = pairs.select(1, 0);
        (pairs.select(1, 1) - &first).relu() + first
    };
    let rows = greater(&x.reshape([-1, 2, size[3]]));
    greater(&rows.view([-1, 2])).view([size[0], size[1], size[2] / 2, size[3] / 2])
}

/// The share of each class among `[n]` classes, i64.
pub(super) fn shares(classes: &Tensor) -> [f64; CLASSES] {
    let counts = classes.bincount(None::<Tensor>, CLASSES as i64);
    let count = classes.size()[0] as f64;
    std::array::from_fn(|class| counts.double_value(&[class as i64]) / count)
}
