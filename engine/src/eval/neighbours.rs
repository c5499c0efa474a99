//! Nearest neighbours: recall, coverage, and the nearest training picture.

use tch::{Kind, Tensor};

use super::chunks;
use crate::native::matmul;

/// How many neighbours make a neighbourhood.
const K: i64 = 5;

/// Points whose distances are in memory at once, to all the others.
const CHUNK: i64 = 500;

/// Recall and coverage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecallCoverage {
    /// Share of real points that lie in the neighbourhood of a made one: Kynkäänniemi et al. 2019, «Improved Precision
    /// and Recall Metric for Assessing Generative Models», <https://arxiv.org/abs/1904.06991>, equation 2.
    pub recall: f64,
    /// Share of real points whose own neighbourhood has a made one in it: Naeem et al. 2020, «Reliable Fidelity and
    /// Diversity Metrics for Generative Models», <https://arxiv.org/abs/2002.09797>, equation 5. Unlike recall it is
    /// not misled by made points that lie far away and so have large neighbourhoods.
    pub coverage: f64,
}

/// Recall and coverage of made points `[n, d]` and real ones `[m, d]`, f64, n and m above 5. The neighbourhood of a point
/// is the ball that reaches to its fifth nearest other point of the same kind.
pub fn recall_and_coverage(made: &Tensor, real: &Tensor) -> RecallCoverage {
    // Seen from the middle of all, squares of distances lose the fewest digits.
    let middle = real.mean_dim(0, true, Kind::Double);
    let (made, real) = (made - &middle, real - &middle);
    let (of_made, of_real) = (radii(&made), radii(&real));
    let (mut recalled, mut covered) = (0, 0);
    for (first, length) in chunks(real.size()[0], CHUNK) {
        let from = real.narrow(0, first, length);
        let distances = squared_distances(&from, &made);
        recalled += count(&distances.le_tensor(&of_made.unsqueeze(0)).any_dim(1, false));
        let nearest = distances.amin(1, false);
        covered += count(&nearest.le_tensor(&of_real.narrow(0, first, length)));
    }
    let share = |of: i64| of as f64 / real.size()[0] as f64;
    RecallCoverage {
        recall: share(recalled),
        coverage: share(covered),
    }
}

/// Mean Euclidean distance of images `[n, p]` to the nearest of others `[m, p]`, both u8, in units of one pixel from
/// black to white.
fn mean_nearest_distance(images: &Tensor, others: &Tensor) -> f64 {
    let others = others.to_kind(Kind::Float);
    let squares = others.square().sum_dim_intlist(1, false, Kind::Float);
    let mut sum = 0.0;
    for (first, length) in chunks(images.size()[0], CHUNK) {
        let from = images.narrow(0, first, length).to_kind(Kind::Float);
        // |a − b|² less |a|², which is the same for every b: it decides who is nearest.
        let products = matmul(&(&from * -2.0), &others.tr());
        let nearest = (products + &squares).argmin(1, false);
        // The distance itself is computed without cancellation.
        let apart = (from - others.index_select(0, &nearest)).to_kind(Kind::Double) / 255.0;
        sum += apart
            .square()
            .sum_dim_intlist(1, false, Kind::Double)
            .sqrt()
            .sum(Kind::Double)
            .double_value(&[]);
    }
    sum / images.size()[0] as f64
}

/// Multiplications that the nearest training pictures may take: those of 10,000 digits and MNIST, some seconds.
const MULTIPLICATIONS: i64 = 500_000_000_000;

/// Mean distance of pictures to the nearest training picture, both `[n, channels, height, width]`, u8, as
/// [`mean_nearest_distance`]: of the first `most` pictures, or fewer where that would take minutes.
pub(super) fn nearest_distance(pictures: &Tensor, training: &Tensor, most: i64) -> f64 {
    let each = training.numel() as i64;
    let affordable = (MULTIPLICATIONS / each).max(1);
    let count = pictures.size()[0].min(most).min(affordable);
    let flat = |images: &Tensor| images.flatten(1, -1);
    mean_nearest_distance(&flat(&pictures.narrow(0, 0, count)), &flat(training))
}

/// Squared distance of each point `[n, d]` to its fifth nearest other.
fn radii(points: &Tensor) -> Tensor {
    let radii: Vec<_> = chunks(points.size()[0], CHUNK)
        .map(|(first, length)| {
            let distances = squared_distances(&points.narrow(0, first, length), points);
            // A point is its own nearest.
            distances.kthvalue(K + 1, 1, false).0
        })
        .collect();
    Tensor::cat(&radii, 0)
}

fn squared_distances(from: &Tensor, to: &Tensor) -> Tensor {
    let squares = |points: &Tensor| points.square().sum_dim_intlist(1, false, Kind::Double);
    let sums = squares(from).unsqueeze(1) + squares(to).unsqueeze(0);
    (sums - from.matmul(&to.tr()) * 2.0).clamp_min(0.0)
}

fn count(of: &Tensor) -> i64 {
    of.sum(Kind::Int64).int64_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: impl Iterator<Item = u32>) -> Tensor {
        let points: Vec<f64> = points.map(f64::from).collect();
        Tensor::from_slice(&points).view([-1, 1])
    }

    #[test]
    fn points_among_the_real_ones_reach_them_all_and_points_far_off_none() {
        let real = line(0..100);
        let among = recall_and_coverage(&(line(0..100) + 0.5), &real);
        assert_eq!((among.recall, among.coverage), (1.0, 1.0));
        let off = recall_and_coverage(&(line(0..100) + 1e6), &real);
        assert_eq!((off.recall, off.coverage), (0.0, 0.0));
    }

    #[test]
    fn half_of_the_real_points_are_reached_by_points_of_one_half() {
        // The fifth neighbour of 0 is 5, that of an inner point 3 away: 49 reaches 54, and 54 has 51 in reach.
        let half = recall_and_coverage(&line(0..50), &line(0..100));
        assert_eq!((half.recall, half.coverage), (0.55, 0.53));
    }

    #[test]
    fn a_point_repeated_reaches_itself_only() {
        let one = recall_and_coverage(&line(std::iter::repeat_n(50, 20)), &line(0..100));
        assert_eq!(one.recall, 0.01);
        assert_eq!(one.coverage, 0.07);
    }

    #[test]
    fn the_nearest_image_is_found_and_a_copy_is_at_zero() {
        let images = |pixels: &[u8]| Tensor::from_slice(pixels).view([-1, 2]);
        let others = images(&[0, 0, 255, 255]);
        assert_eq!(mean_nearest_distance(&images(&[255, 255]), &others), 0.0);
        let found = mean_nearest_distance(&images(&[0, 51, 255, 204]), &others);
        assert!((found - 0.2).abs() < 1e-9, "{found}");
    }
}
