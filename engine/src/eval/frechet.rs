//! The Fréchet distance between two clouds of points, each described by its mean and covariance.
//!
//! Heusel et al. 2017, «GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium»,
//! <https://arxiv.org/abs/1706.08500>, equation 6; the formula is Dowson and Landau's of 1982. There the features are
//! those of Inception, here they are a judge's, those of filters that need no labels, or pixels.

use tch::{Kind, Tensor};

/// Groups that are measured, at most.
const GROUPS: i64 = 10;

/// Mean distance to `real` of points `[n, d]`, f64, taken in groups of `group`; all points are one group if there are
/// fewer. The distance of few points is biased upwards, so distances compare at equal numbers only: this is how 10,000
/// generated pictures compare with 100 real ones.
pub(super) fn mean_distance(points: &Tensor, real: &Gaussian, group: i64) -> f64 {
    let count = points.size()[0];
    let group = group.min(count);
    let groups = (count / group).min(GROUPS);
    let sum: f64 = (0..groups)
        .map(|index| Gaussian::of(&points.narrow(0, index * group, group)).distance(real))
        .sum();
    sum / groups as f64
}

/// Mean and covariance of a cloud of points.
#[derive(Debug)]
pub struct Gaussian {
    /// `[d]`, f64.
    mean: Tensor,
    /// `[d, d]`, f64, with n − 1 in the denominator.
    covariance: Tensor,
}

impl Gaussian {
    /// That of points `[n, d]`, f64, n ≥ 2.
    pub fn of(points: &Tensor) -> Self {
        let count = points.size()[0];
        let mean = points.mean_dim(0, false, Kind::Double);
        let centred = points - &mean;
        let covariance = centred.tr().matmul(&centred) / (count - 1) as f64;
        Self { mean, covariance }
    }

    /// The squared Fréchet distance to another: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½), at least 0.
    ///
    /// The trace of the root is that of the symmetric (Σ₁^½ Σ₂ Σ₁^½)^½, whose eigenvalues are real.
    pub fn distance(&self, other: &Self) -> f64 {
        let (values, vectors) = self.covariance.linalg_eigh("L");
        let roots = values.clamp_min(0.0).sqrt();
        let root = (&vectors * roots.unsqueeze(0)).matmul(&vectors.tr());
        let product = root.matmul(&other.covariance).matmul(&root);
        let crossed = product
            .linalg_eigvalsh("L")
            .clamp_min(0.0)
            .sqrt()
            .sum(Kind::Double);
        let apart = (&self.mean - &other.mean).square().sum(Kind::Double);
        let distance = apart + self.covariance.trace() + other.covariance.trace() - crossed * 2.0;
        distance.double_value(&[]).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn on_a_line_it_is_the_difference_of_means_and_of_deviations() {
        // (−1, 1) has mean 0 and variance 2; (1, 7) has mean 4 and variance 18.
        let narrow = Gaussian::of(&Tensor::from_slice(&[-1.0, 1.0]).view([2, 1]));
        let wide = Gaussian::of(&Tensor::from_slice(&[1.0, 7.0]).view([2, 1]));
        let expected = 16.0 + (18_f64.sqrt() - 2_f64.sqrt()).powi(2);
        near(narrow.distance(&wide), expected);
        near(wide.distance(&narrow), expected);
        near(wide.distance(&wide), 0.0);
    }

    #[test]
    fn in_the_plane_it_sees_what_leans_another_way() {
        // Covariances diag(4, 1) and diag(1, 4), means equal: 10 − 2·(2 + 2).
        let points = |x: f64, y: f64| {
            let half = 1.5_f64.sqrt();
            let numbers = [x * half, 0.0, -x * half, 0.0, 0.0, y * half, 0.0, -y * half];
            Gaussian::of(&Tensor::from_slice(&numbers).view([4, 2]))
        };
        near(points(2.0, 1.0).distance(&points(1.0, 2.0)), 2.0);
    }

    #[test]
    fn many_points_are_compared_in_groups_and_few_at_once() {
        let real = Gaussian::of(&Tensor::from_slice(&[-1.0, 1.0]).view([2, 1]));
        let points = Tensor::from_slice(&[-1.0, 1.0, 3.0, 5.0, 7.0]).view([5, 1]);
        // (−1, 1) is at 0, (3, 5) at 4² = 16; the last point is no group.
        near(mean_distance(&points, &real, 2), 8.0);
        let all = Gaussian::of(&points).distance(&real);
        near(mean_distance(&points, &real, 100), all);
    }

    #[test]
    fn points_that_fill_no_space_have_a_distance() {
        // Scipy's sqrtm is known to fail on such; here a root of an eigenvalue of −1e-17 is 0.
        let flat = Tensor::from_slice(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]).view([3, 2]);
        near(
            Gaussian::of(&flat).distance(&Gaussian::of(&(&flat + 1.0))),
            2.0,
        );
    }
}
