//! The finite-sample bias of a Fréchet distance.

use tch::Tensor;

use super::features::Features;
use super::frechet::{Gaussian, mean_distance};
use super::reference::spread_sample;

/// Pictures of one quick comparison.
pub(super) const FEW: i64 = 2000;

/// Training pictures that others are compared with, at most.
const REAL: i64 = 10_000;

/// Groups of other training pictures that are compared with them.
const GROUPS: i64 = 5;

/// Training pictures, parted.
pub(super) struct Parted {
    /// Those that others are compared with, up to 10,000.
    pub(super) real: Tensor,
    /// Others: as many, or one more.
    pub(super) others: Tensor,
    /// Pictures in one Fréchet distance: no more than there are others to measure the bias with.
    pub(super) group: i64,
}

impl Parted {
    /// Parts training pictures `[n, …]`, n ≥ 2, in two halves that are spread over all of them.
    pub(super) fn of(training: &Tensor) -> Self {
        let count = training.size()[0].min(2 * REAL);
        let some = spread_sample(training, count);
        let real = count / 2;
        Self {
            real: some.narrow(0, count - real, real),
            others: some.narrow(0, 0, count - real),
            group: FEW.min(count - real),
        }
    }
}

/// Finite-sample bias of the Fréchet distance in some features: FD(n) ≈ FD(∞) + bias / n.
///
/// It falls as 1/n (Chong and Forsyth 2020, «Effectively Unbiased FID and Inception Score and where to find them»,
/// <https://arxiv.org/abs/1911.07023>), and FD(∞) of real pictures is 0: so it is their mean distance times their number.
/// `real` is the distribution of the pictures to compare with.
pub(super) fn bias(features: &Features, parted: &Parted, real: &Gaussian) -> f64 {
    let count = (GROUPS * parted.group).min(parted.others.size()[0]);
    let others = features.of(&parted.others.narrow(0, 0, count));
    mean_distance(&others, real, parted.group) * parted.group as f64
}
