//! Features that need no labels: convolutions with the principal components of patches as filters.
//!
//! After Chan et al. 2015, «`PCANet`: A Simple Deep Learning Baseline for Image Classification?»,
//! <https://arxiv.org/abs/1404.3606>. docs/JUDGE.md compares these features with others.

use tch::{Device, Kind, Tensor};

use super::chunks;
use crate::native::no_grad;

/// Numbers that describe a picture, at most.
const FEATURES: i64 = 64;

/// Side of the filters of each layer, and their number.
const LAYERS: [(i64, i64); 2] = [(5, 16), (3, 32)];

/// Patches by which the filters of a layer are found, about, and pictures that they come from, at most.
const PATCHES: i64 = 200_000;
const OF_PICTURES: i64 = 1000;

/// Training pictures by which the components are found, at most.
const FITTED: i64 = 5000;

/// Training pictures for each component, at least: fewer say nothing about its variance.
const FOR_EACH: i64 = 4;

/// Each map is averaged over a grid of so many cells down and across.
const GRID: i64 = 4;

/// Pictures in memory at once.
const CHUNK: i64 = 100;

/// Filters of patches with a variance below this share of the greatest are not scaled up to a variance of 1.
const WEAKEST_FILTER: f64 = 1e-3;

/// Variances below this share of the greatest are rounding errors.
const ROUNDING: f64 = 1e-9;

/// The variance that pictures which are all alike are taken to have: that of f32's rounding of values from 0 to 1.
const NO_VARIANCE: f64 = 1e-14;

/// Two layers of filters, which are the principal components of patches, each scaled to a variance of 1. What is above
/// zero in a response and what is below are maps of their own, and mean pooling halves them for the next layer. Every map
/// is averaged over a grid of 4×4 cells; the features are the principal components of these averages.
///
/// Each feature is divided by the square root of its standard deviation. Undivided, few strong ones drown the others; all
/// with a variance of 1, weak ones, which are noise where there are few pictures, count as much as shapes.
#[derive(Debug)]
pub struct PatchFilters {
    /// `[filters, maps, side, side]` of each layer.
    layers: Vec<Tensor>,
    /// Of the averages, `[1, p]`, f64.
    mean: Tensor,
    /// `[p, d]`, f64.
    components: Tensor,
}

impl PatchFilters {
    /// Finds filters and components among training pictures `[n, channels, height, width]`, u8, n ≥ 2, on any device.
    pub fn fitted(training: &Tensor) -> Self {
        let size = training.size();
        let some = (PATCHES / (size[2] * size[3]))
            .clamp(1, OF_PICTURES)
            .min(size[0]);
        let mut maps = scaled(&training.narrow(0, 0, some), Device::Cpu);
        let mut layers = Vec::new();
        for (side, count) in LAYERS {
            let layer = filters(&maps, side, count);
            maps = halved(&responses(&maps, &layer));
            layers.push(layer);
        }
        let count = size[0].min(FITTED);
        let averages = averages(&layers, &training.narrow(0, 0, count));
        let mean = averages.mean_dim(0, true, Kind::Double);
        let kept = FEATURES.min(count / FOR_EACH).max(1);
        let (variances, vectors) = principal_components(&(averages - &mean), kept, ROUNDING);
        let components = vectors / variances.sqrt().sqrt().unsqueeze(0);
        Self {
            layers,
            mean,
            components,
        }
    }

    /// The same, computing on a device.
    #[must_use]
    pub fn on(self, device: Device) -> Self {
        let layers = self.layers.iter().map(|layer| layer.to_device(device));
        Self {
            layers: layers.collect(),
            ..self
        }
    }

    /// The features of pictures `[n, channels, height, width]`, u8, on any device: `[n, d]`, f64, d up to 64, on the CPU.
    pub fn features(&self, pictures: &Tensor) -> Tensor {
        let averages = averages(&self.layers, pictures).to_device(Device::Cpu);
        (averages - &self.mean).matmul(&self.components)
    }
}

/// Values from 0 to 1, f32, on a device.
fn scaled(pictures: &Tensor, device: Device) -> Tensor {
    pictures.to_device(device).to_kind(Kind::Float) / 255.0
}

/// The strongest components of centred points `[n, p]`, f64, `count` at most: their variances `[d]`, and the components
/// themselves, `[p, d]`.
fn principal_components(centred: &Tensor, count: i64, weakest: f64) -> (Tensor, Tensor) {
    let freedom = (centred.size()[0] - 1).max(1) as f64;
    let covariance = centred.tr().matmul(centred) / freedom;
    // Eigenvalues come in ascending order.
    let (values, vectors) = covariance.linalg_eigh("L");
    let all = values.size()[0];
    let greatest = values.max().double_value(&[]);
    // Directions without variance are rounding errors: they would differ from one call to the next. Pictures that are
    // all alike have no variance at all, and keep one.
    let meaningful = values.gt(greatest * ROUNDING).sum(Kind::Int64);
    let kept = count.min(meaningful.int64_value(&[])).max(1);
    let least = (greatest * weakest).max(NO_VARIANCE);
    (
        values.narrow(0, all - kept, kept).clamp_min(least),
        vectors.narrow(1, all - kept, kept),
    )
}

/// Filters `[count, maps, side, side]` for maps `[n, maps, h, w]`: fewer if the patches have fewer numbers.
fn filters(maps: &Tensor, side: i64, count: i64) -> Tensor {
    let channels = maps.size()[1];
    let numbers = channels * side * side;
    let edge = side / 2;
    // Every second patch down and across will do.
    let patches = padded(maps, edge).im2col([side, side], [1, 1], [0, 0], [2, 2]);
    let patches = patches
        .transpose(1, 2)
        .reshape([-1, numbers])
        .to_kind(Kind::Double);
    let centred = &patches - patches.mean_dim(0, true, Kind::Double);
    let (variances, vectors) = principal_components(&centred, count, WEAKEST_FILTER);
    let filters = vectors / variances.sqrt().unsqueeze(0);
    filters
        .tr()
        .reshape([-1, channels, side, side])
        .to_kind(Kind::Float)
}

/// Repeats the border, so that any background goes on.
fn padded(maps: &Tensor, edge: i64) -> Tensor {
    maps.pad([edge, edge, edge, edge], "replicate", None::<f64>)
}

/// What is above zero in the response to each filter, and what is below: `[n, 2·filters, h, w]`.
fn responses(maps: &Tensor, filters: &Tensor) -> Tensor {
    let edge = filters.size()[2] / 2;
    let found = padded(maps, edge).conv2d(filters, None::<Tensor>, 1, 0, 1, 1);
    Tensor::cat(&[found.relu(), (-found).relu()], 1)
}

/// Means of 2×2 pixels; a map of one row or column stays as it is.
fn halved(maps: &Tensor) -> Tensor {
    let size = maps.size();
    if size[2].min(size[3]) < 2 {
        return maps.shallow_clone();
    }
    maps.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None)
}

/// The averages of all maps of pictures, u8: `[n, p]`, f64.
fn averages(layers: &[Tensor], pictures: &Tensor) -> Tensor {
    let device = layers.first().map_or(Device::Cpu, Tensor::device);
    let of_few = |pictures: &Tensor| {
        let mut maps = scaled(pictures, device);
        let averages: Vec<_> = layers
            .iter()
            .map(|layer| {
                let found = responses(&maps, layer);
                maps = halved(&found);
                found.adaptive_avg_pool2d([GRID, GRID]).flatten(1, -1)
            })
            .collect();
        Tensor::cat(&averages, 1).to_kind(Kind::Double)
    };
    let parts: Vec<_> = chunks(pictures.size()[0], CHUNK)
        .map(|(first, length)| no_grad(|| of_few(&pictures.narrow(0, first, length))))
        .collect();
    Tensor::cat(&parts, 0)
}

#[cfg(test)]
mod tests {
    use super::super::noise::random_bytes;
    use super::*;

    fn random_pictures(count: i64, [channels, height, width]: [i64; 3]) -> Tensor {
        random_bytes(&[count, channels, height, width])
    }

    #[test]
    fn pictures_of_any_shape_have_features_about_zero() {
        for shape in [[1, 28, 28], [3, 64, 64], [1, 1, 3], [3, 5, 9]] {
            let pictures = random_pictures(300, shape);
            let features = PatchFilters::fitted(&pictures).features(&pictures);
            assert_eq!(features.size()[0], 300);
            let mean = features.mean_dim(0, false, Kind::Double).abs().max();
            let size = features.abs().max();
            assert!(
                mean.double_value(&[]) < 1e-6 * size.double_value(&[]),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn the_same_pictures_give_the_same_features() {
        let pictures = random_pictures(100, [3, 32, 32]);
        let once = PatchFilters::fitted(&pictures).features(&pictures);
        tch::manual_seed(1);
        let again = PatchFilters::fitted(&pictures).features(&pictures);
        assert_eq!(once, again);
    }

    #[test]
    fn few_pictures_give_few_features_and_pictures_all_alike_finite_ones() {
        let few = random_pictures(40, [3, 32, 32]);
        assert_eq!(PatchFilters::fitted(&few).features(&few).size(), [40, 10]);
        let alike = few.narrow(0, 0, 1).repeat([20, 1, 1, 1]);
        let features = PatchFilters::fitted(&alike).features(&alike);
        assert!(features.isfinite().all().int64_value(&[]) == 1);
    }
}
