//! The network that classifies pictures, and whose features compare them.

use tch::nn::{Init, Path};
use tch::{Device, Kind, Tensor};

use super::chunks;
use crate::native::no_grad;

/// Numbers that describe a picture.
pub const FEATURES: i64 = 64;

/// Pixels down or across of the smallest picture that can be classified.
pub const SMALLEST: i64 = 8;

/// Numbers that the first convolution may put into memory at once, f32: 5 MB stay in the cache.
const IN_MEMORY: i64 = 1_254_400;

/// Sides are halved until they are at most this long.
const LAST_SIDE: i64 = 8;

/// What a classifier looks at, and which classes it tells apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject {
    /// Shape of a picture, `[channels, height, width]`.
    pub shape: [i64; 3],
    /// Number of classes.
    pub num_classes: i64,
    /// Mean and standard deviation of the data's pixels, as shares of white.
    pub pixels: (f64, f64),
}

/// Convolutions of 3×3 with max pooling between them, 64 features, and a logit for each class. For MNIST: 16, 32 and 32
/// channels, 115,114 parameters.
///
/// The features are a linear layer without an activation. With a tanh there, in a trial, a blur read 9 times the floor
/// and ten class Gaussians 11 times: the tanh saturates just where pictures are odd.
#[derive(Debug)]
pub struct Classifier {
    subject: Subject,
    /// They keep the size.
    convolutions: Vec<Layer>,
    features: Layer,
    output: Layer,
}

#[derive(Debug)]
struct Layer {
    weight: Tensor,
    bias: Tensor,
}

/// What a classifier says of some pictures.
#[derive(Debug)]
pub struct Predictions {
    /// `[n, 64]`, f64.
    pub features: Tensor,
    /// The predicted class of each picture, `[n]`, i64.
    pub classes: Tensor,
    /// Share of the pictures that were predicted to be of each class.
    pub histogram: Vec<f64>,
    /// Mean probability of the predicted class.
    pub confidence: f64,
}

impl Subject {
    /// Output channels of the convolutions.
    fn widths(&self) -> &'static [i64] {
        let [channels, height, width] = self.shape;
        let is_plain = channels == 1 && self.num_classes <= 10;
        let halvings = |count: u32| height.max(width) >> count;
        match (halvings(2) <= LAST_SIDE, halvings(3) <= LAST_SIDE) {
            (true, _) if is_plain => &[16, 32, 32],
            (true, _) => &[32, 64, 64],
            (false, true) => &[16, 32, 64, 64],
            // Pictures of more than 64 pixels.
            (false, false) => &[16, 32, 64, 64, 64, 64],
        }
    }

    /// The layers' names and the shapes of their weights; a bias has the first size.
    fn layers(&self) -> Vec<(String, Vec<i64>)> {
        let [mut inputs, height, width] = self.shape;
        let widths = self.widths();
        let mut layers = Vec::new();
        for (index, outputs) in (1..).zip(widths) {
            layers.push((format!("convolution.{index}"), vec![*outputs, inputs, 3, 3]));
            inputs = *outputs;
        }
        let halvings = widths.len() - 1;
        let flat = inputs * (height >> halvings) * (width >> halvings);
        layers.push(("features".to_owned(), vec![FEATURES, flat]));
        layers.push(("output".to_owned(), vec![self.num_classes, FEATURES]));
        layers
    }
}

impl Classifier {
    /// An untrained classifier, its weights among the variables of `root`, initialised as `torch.nn` does: uniform in
    /// ±1/√`fan_in`.
    pub(super) fn untrained(root: &Path, subject: Subject) -> Self {
        Self::build(subject, |name, shape, inputs| {
            let bound = (inputs as f64).sqrt().recip();
            let init = Init::Uniform {
                lo: -bound,
                up: bound,
            };
            // tch reads a dot as the end of a path's part.
            Some(root.var(&name.replace('.', "_"), shape, init))
        })
        .unwrap_or_else(|| unreachable!("every weight was made"))
    }

    /// A classifier from its weights by name; `None` if one is missing or has another shape.
    pub(super) fn from_weights(subject: Subject, weights: &[(String, Tensor)]) -> Option<Self> {
        Self::build(subject, |name, shape, _| {
            let (_, weight) = weights.iter().find(|(known, _)| known == name)?;
            (weight.size() == shape).then(|| weight.to_kind(Kind::Float))
        })
    }

    /// The same with its weights rounded to half precision, as its file stores them.
    pub(super) fn rounded_to_half(&self) -> Self {
        self.with_weights(|weight| weight.detach().to_kind(Kind::Half))
    }

    /// Builds the layers from what `weight` gives for a name, a shape and the number of inputs.
    fn build(
        subject: Subject,
        weight: impl Fn(&str, &[i64], i64) -> Option<Tensor>,
    ) -> Option<Self> {
        let layers: Option<Vec<_>> = subject
            .layers()
            .iter()
            .map(|(name, shape)| {
                let inputs = shape[1..].iter().product();
                Some(Layer {
                    weight: weight(&format!("{name}.weight"), shape, inputs)?,
                    bias: weight(&format!("{name}.bias"), &shape[..1], inputs)?,
                })
            })
            .collect();
        let mut convolutions = layers?;
        let output = convolutions.pop()?;
        let features = convolutions.pop()?;
        Some(Self {
            subject,
            convolutions,
            features,
            output,
        })
    }

    /// Another handle on the same weights.
    pub(super) fn shared(&self) -> Self {
        self.with_weights(Tensor::shallow_clone)
    }

    /// The same with its weights on a device.
    #[must_use]
    pub(super) fn on(&self, device: Device) -> Self {
        self.with_weights(|weight| weight.to_device(device))
    }

    /// The same with what a function makes of each weight.
    fn with_weights(&self, make: impl Fn(&Tensor) -> Tensor) -> Self {
        let weights: Vec<_> = self
            .weights()
            .into_iter()
            .map(|(name, weight)| (name, make(weight)))
            .collect();
        Self::from_weights(self.subject, &weights)
            .unwrap_or_else(|| unreachable!("its own weights fit"))
    }

    /// The device of its weights.
    pub(super) fn device(&self) -> Device {
        self.output.bias.device()
    }

    /// What it looks at.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The weights and their names, in a fixed order.
    pub fn weights(&self) -> Vec<(String, &Tensor)> {
        let last = [&self.features, &self.output];
        self.subject
            .layers()
            .into_iter()
            .zip(self.convolutions.iter().chain(last))
            .flat_map(|((name, _), layer)| {
                [
                    (format!("{name}.weight"), &layer.weight),
                    (format!("{name}.bias"), &layer.bias),
                ]
            })
            .collect()
    }

    /// Features `[n, 64]` and logits `[n, classes]` of pictures `[n, channels, height, width]` with values from 0 to 1.
    /// In training mode `dropout` is applied to the inputs of the last two layers.
    pub(super) fn forward(&self, pictures: &Tensor, dropout: f64, train: bool) -> (Tensor, Tensor) {
        let (mean, deviation) = self.subject.pixels;
        let mut x = (pictures - mean) / deviation;
        let last = self.convolutions.len() - 1;
        for (index, layer) in self.convolutions.iter().enumerate() {
            x = x.conv2d(&layer.weight, Some(&layer.bias), 1, 1, 1, 1);
            if index < last {
                x = max_pooled(&x);
            }
            x = x.relu();
        }
        let x = x.flatten(1, -1).dropout(dropout, train);
        let features = x.linear(&self.features.weight, Some(&self.features.bias));
        let logits = features
            .dropout(dropout, train)
            .linear(&self.output.weight, Some(&self.output.bias));
        (features, logits)
    }

    /// Classifies pictures `[n, channels, height, width]`, u8, n ≥ 1, on any device. What is predicted is on the CPU.
    pub fn predict(&self, pictures: &Tensor) -> Predictions {
        let [_, height, width] = self.subject.shape;
        let chunk = (IN_MEMORY / (self.subject.widths()[0] * height * width)).max(1);
        no_grad(|| {
            let (mut features, mut probabilities) = (Vec::new(), Vec::new());
            for (first, length) in chunks(pictures.size()[0], chunk) {
                let scaled = pictures
                    .narrow(0, first, length)
                    .to_device(self.device())
                    .to_kind(Kind::Float)
                    / 255.0;
                let (found, logits) = self.forward(&scaled, 0.0, false);
                features.push(found.to_kind(Kind::Double));
                probabilities.push(logits.to_kind(Kind::Double).softmax(1, Kind::Double));
            }
            let together = |parts: &[Tensor]| Tensor::cat(parts, 0).to_device(Device::Cpu);
            let (best, classes) = together(&probabilities).max_dim(1, false);
            Predictions {
                features: together(&features),
                histogram: class_shares(&classes, self.subject.num_classes),
                confidence: best.mean(Kind::Double).double_value(&[]),
                classes,
            }
        })
    }

    /// The share of pictures whose predicted class is that of their originals, both `[n, channels, height, width]`, u8.
    pub(super) fn agreement(&self, pictures: &Tensor, originals: &Tensor) -> f64 {
        self.accuracy(pictures, &self.predict(originals).classes)
    }

    /// Share of pictures whose predicted class is their label (`[n]`, i64).
    pub fn accuracy(&self, pictures: &Tensor, labels: &Tensor) -> f64 {
        self.predict(pictures)
            .classes
            .eq_tensor(labels)
            .to_kind(Kind::Double)
            .mean(Kind::Double)
            .double_value(&[])
    }
}

/// Max pooling over 2×2 pixels of `[n, c, h, w]`, exact but for the last bit. An odd last row or column is left out.
///
/// libtorch's own pooling goes through such pictures number by number, and so does the gradient of its `maximum`: both
/// take several times as long as the sum a + relu(b − a).
fn max_pooled(x: &Tensor) -> Tensor {
    let size = x.size();
    let (height, width) = (size[2] / 2, size[3] / 2);
    let even = x.narrow(2, 0, 2 * height).narrow(3, 0, 2 * width);
    let greater = |pairs: &Tensor| {
        let first = pairs.select(1, 0);
        (pairs.select(1, 1) - &first).relu() + first
    };
    let rows = greater(&even.reshape([-1, 2, 2 * width]));
    greater(&rows.view([-1, 2])).view([size[0], size[1], height, width])
}

/// The share of each class among `[n]` classes, i64, below `num_classes`.
pub(super) fn class_shares(classes: &Tensor, num_classes: i64) -> Vec<f64> {
    let counts = classes.bincount(None::<Tensor>, num_classes);
    let count = classes.size()[0] as f64;
    (0..num_classes)
        .map(|class| counts.double_value(&[class]) / count)
        .collect()
}

#[cfg(test)]
mod tests {
    use tch::nn::VarStore;

    use super::*;

    #[test]
    fn pictures_of_any_shape_are_classified_into_any_number_of_classes() {
        let cases = [
            ([1, 28, 28], 10),
            ([3, 32, 32], 200),
            ([1, 25, 31], 2),
            ([3, 48, 48], 7),
            ([3, 64, 64], 3),
            ([1, 8, 8], 10),
            ([1, 96, 128], 2),
        ];
        for (shape, num_classes) in cases {
            let store = VarStore::new(Device::Cpu);
            let subject = Subject {
                shape,
                num_classes,
                pixels: (0.5, 0.25),
            };
            let classifier = Classifier::untrained(&store.root(), subject);
            let [channels, height, width] = shape;
            let size = [3, channels, height, width];
            let pictures = Tensor::randint(256, size, (Kind::Uint8, Device::Cpu));
            let found = classifier.predict(&pictures);
            assert_eq!(found.features.size(), [3, FEATURES]);
            assert_eq!(found.histogram.len() as i64, num_classes);
            assert!((found.histogram.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(found.confidence >= 1.0 / num_classes as f64);
        }
    }

    #[test]
    fn pooling_takes_the_greatest_of_four_and_leaves_out_an_odd_edge() {
        let x = Tensor::from_slice(&[1.0_f32, -2.0, 9.0, 4.0, 3.0, 9.0, 9.0, 9.0, 9.0]);
        let pooled = max_pooled(&x.view([1, 1, 3, 3]));
        assert_eq!(pooled.size(), [1, 1, 1, 1]);
        assert_eq!(pooled.double_value(&[0, 0, 0, 0]), 4.0);
    }
}
