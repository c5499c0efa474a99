//! Fine structure, which a classifier overlooks: pixels, in the directions in which real pictures vary little.

use tch::{Kind, Tensor};

use super::chunks;
use super::frechet::{Gaussian, mean_distance};

/// The principal components that are compared, counted from 1: edges of strokes and single pixels. The first 200 hold
/// the shapes.
pub const COMPONENTS: (i64, i64) = (201, 500);

/// The longest side that is decomposed, in pixels; of larger pictures the centre. An eigendecomposition of more would
/// take minutes.
const LONGEST_SIDE: i64 = 48;

/// Pictures that are in memory as f64 at once.
const CHUNK: i64 = 10_000;

/// The fine structure of real pictures.
#[derive(Debug)]
pub struct FineComponents {
    /// `[p, 300]`, f64: principal components 201 to 500, the strongest first.
    basis: Tensor,
    /// Of held-out pictures.
    real: Gaussian,
    /// Pictures in one Fréchet distance.
    group: i64,
}

impl FineComponents {
    /// The components of training pictures, and their distribution among held-out ones, both `[n, channels, height,
    /// width]`, u8. Others are compared in groups of `group`. `None` if the pictures have fewer than 500 pixels.
    pub fn of(training: &Tensor, held_out: &Tensor, group: i64) -> Option<Self> {
        let (first, last) = COMPONENTS;
        let pixels = grey_centre(&training.narrow(0, 0, 1)).size()[1];
        if pixels < last {
            return None;
        }
        let count = training.size()[0];
        let options = (Kind::Double, training.device());
        let mut sum = Tensor::zeros([pixels], options);
        let mut products = Tensor::zeros([pixels, pixels], options);
        for (start, length) in chunks(count, CHUNK) {
            let chunk = grey_centre(&training.narrow(0, start, length));
            sum += chunk.sum_dim_intlist(0, false, Kind::Double);
            products += chunk.tr().matmul(&chunk);
        }
        let mean = sum / count as f64;
        let covariance = products / count as f64 - mean.outer(&mean);
        // Eigenvalues come in ascending order.
        let (_, vectors) = covariance.linalg_eigh("L");
        let basis = vectors.narrow(1, pixels - last, last - first + 1).flip([1]);
        let real = Gaussian::of(&grey_centre(held_out).matmul(&basis));
        Some(Self { basis, real, group })
    }

    /// Squared Fréchet distance of pictures `[n, channels, height, width]`, u8, in these directions.
    pub fn distance(&self, pictures: &Tensor) -> f64 {
        let points = grey_centre(pictures).matmul(&self.basis);
        mean_distance(&points, &self.real, self.group)
    }
}

/// The mean of the channels as shares of white, f64, `[n, p]`: of the centre, if the pictures are large.
fn grey_centre(pictures: &Tensor) -> Tensor {
    let mut centre = pictures.shallow_clone();
    for dim in [2, 3] {
        let side = centre.size()[dim];
        let kept = side.min(LONGEST_SIDE);
        centre = centre.narrow(dim as i64, (side - kept) / 2, kept);
    }
    let values = centre.to_kind(Kind::Double) / 255.0;
    let grey = values.mean_dim(1_i64, false, Kind::Double);
    grey.flatten(1, -1)
}
