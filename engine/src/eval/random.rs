//! Features that need no labels: a convolutional network that is not trained, and principal components of what it says.
//!
//! Untrained networks with random weights are known to compare pictures well where no classifier fits the data (Naeem et
//! al. 2020, <https://arxiv.org/abs/2002.09797>, use one for that). docs/JUDGE.md compares this one with others.

use tch::{Device, Kind, Tensor, no_grad};

use super::chunks;
use super::noise::normal;

/// Numbers that describe a picture, at most.
const FEATURES: i64 = 64;

/// Training pictures by which the components are found, at most.
const FITTED: i64 = 5000;

/// Training pictures for each component, at least: fewer say nothing about its variance.
const FOR_EACH: i64 = 4;

/// Each map is averaged over a grid of so many cells down and across.
const GRID: i64 = 4;

/// Pictures in memory at once.
const CHUNK: i64 = 100;

/// Components with less than this share of the greatest variance are rounding errors.
const ROUNDING: f64 = 1e-9;

/// Three convolutions of 3×3 with random weights, `ReLU` and mean pooling; every map averaged over a grid of 4×4 cells; of
/// these averages the principal components, each scaled to a variance of 1.
#[derive(Debug)]
pub struct RandomConvolutions {
    /// `[outputs, inputs, 3, 3]` each.
    weights: Vec<Tensor>,
    /// Of the averages, `[1, p]`, f64.
    mean: Tensor,
    /// `[p, d]`, f64.
    components: Tensor,
}

impl RandomConvolutions {
    /// Fits the components to training pictures `[n, channels, height, width]`, u8, n ≥ 2, on any device. The weights are
    /// always the same.
    pub fn fitted(training: &Tensor) -> Self {
        let size = training.size();
        let widths = if size[2].max(size[3]) <= 32 {
            [32, 32, 32]
        } else {
            [16, 32, 32]
        };
        let mut inputs = size[1];
        let weights: Vec<_> = (0..)
            .zip(widths)
            .map(|(layer, outputs)| {
                // He et al. 2015, <https://arxiv.org/abs/1502.01852>: a variance of 2 / fan_in.
                let scale = (2.0 / (9 * inputs) as f64).sqrt();
                let weight = normal(&[outputs, inputs, 3, 3], 1000 + layer) * scale;
                inputs = outputs;
                weight
            })
            .collect();
        let count = size[0].min(FITTED);
        let averages = averages(&weights, &training.narrow(0, 0, count));
        let mean = averages.mean_dim(0, true, Kind::Double);
        let centred = averages - &mean;
        let covariance = centred.tr().matmul(&centred) / (count - 1) as f64;
        // Eigenvalues come in ascending order.
        let (values, vectors) = covariance.linalg_eigh("L");
        let all = values.size()[0];
        let kept = FEATURES.min(count / FOR_EACH).clamp(1, all);
        let [values, vectors] = [
            values.narrow(0, all - kept, kept),
            vectors.narrow(1, all - kept, kept),
        ];
        // Pictures that are all alike have no variance at all.
        let least = (values.max().double_value(&[]) * ROUNDING).max(f64::MIN_POSITIVE);
        let components = vectors / values.clamp_min(least).sqrt().unsqueeze(0);
        Self {
            weights,
            mean,
            components,
        }
    }

    /// Features of pictures `[n, channels, height, width]`, u8, on any device: `[n, d]`, f64, d up to 64.
    pub fn features(&self, pictures: &Tensor) -> Tensor {
        (averages(&self.weights, pictures) - &self.mean).matmul(&self.components)
    }
}

/// The averages of all maps of pictures, u8: `[n, p]`, f64.
fn averages(weights: &[Tensor], pictures: &Tensor) -> Tensor {
    let parts: Vec<_> = chunks(pictures.size()[0], CHUNK)
        .map(|(first, length)| {
            let some = pictures.narrow(0, first, length).to_device(Device::Cpu);
            no_grad(|| averages_of_few(weights, &some)).to_kind(Kind::Double)
        })
        .collect();
    Tensor::cat(&parts, 0)
}

fn averages_of_few(weights: &[Tensor], pictures: &Tensor) -> Tensor {
    let mut x = pictures.to_kind(Kind::Float) / 255.0 - 0.5;
    let maps: Vec<_> = weights
        .iter()
        .map(|weight| {
            let map = x.conv2d(weight, None::<Tensor>, 1, 1, 1, 1).relu();
            let size = map.size();
            x = if size[2].min(size[3]) > 1 {
                map.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None)
            } else {
                map.shallow_clone()
            };
            map.adaptive_avg_pool2d([GRID, GRID]).flatten(1, -1)
        })
        .collect();
    Tensor::cat(&maps, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_pictures(count: i64, shape: [i64; 3]) -> Tensor {
        let [channels, height, width] = shape;
        super::super::noise::random_bytes(&[count, channels, height, width])
    }

    #[test]
    fn features_of_the_fitted_pictures_have_a_variance_of_one() {
        for (shape, count) in [([1, 28, 28], 300), ([3, 64, 64], 300), ([1, 1, 3], 40)] {
            let pictures = random_pictures(count, shape);
            let network = RandomConvolutions::fitted(&pictures);
            let features = network.features(&pictures);
            assert_eq!(features.size()[0], count);
            let variances = features.var_dim(0, true, false);
            let off = (variances - 1.0).abs().max().double_value(&[]);
            assert!(off < 1e-4, "{shape:?}: {off}");
        }
    }

    #[test]
    fn few_pictures_give_few_features_and_pictures_all_alike_finite_ones() {
        let few = random_pictures(40, [3, 32, 32]);
        let network = RandomConvolutions::fitted(&few);
        assert_eq!(network.features(&few).size(), [40, 10]);
        let alike = few.narrow(0, 0, 1).repeat([20, 1, 1, 1]);
        let features = RandomConvolutions::fitted(&alike).features(&alike);
        assert!(features.isfinite().all().int64_value(&[]) == 1);
    }
}
