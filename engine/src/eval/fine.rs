//! What no classifier looks at: pixels, in the directions in which real images vary little.

use tch::{Kind, Tensor};

use super::chunks;
use super::gaussian::Gaussian;

/// The principal components that are compared, counted from 1: strokes' edges and single pixels. The first 200 hold
/// the digits' forms.
pub const COMPONENTS: (i64, i64) = (201, 500);

/// The most pixels that are decomposed: beyond, it would take minutes.
pub const MOST_PIXELS: i64 = 2304;

/// Images that are in memory as f64 at once.
const CHUNK: i64 = 10_000;

/// The fine structure of real images.
#[derive(Debug)]
pub struct FineComponents {
    /// `[p, 300]`, f64: principal components 201 to 500, the strongest first.
    basis: Tensor,
}

impl FineComponents {
    /// That of images `[n, p]`, u8; `None` where they have fewer than 500 pixels or more than 2304.
    pub fn of(images: &Tensor) -> Option<Self> {
        let (count, pixels) = (images.size()[0], images.size()[1]);
        let (first, last) = COMPONENTS;
        if !(last..=MOST_PIXELS).contains(&pixels) {
            return None;
        }
        let options = (Kind::Double, images.device());
        let mut sum = Tensor::zeros([pixels], options);
        let mut products = Tensor::zeros([pixels, pixels], options);
        for (start, length) in chunks(count, CHUNK) {
            let chunk = scaled(&images.narrow(0, start, length));
            sum += chunk.sum_dim_intlist(0, false, Kind::Double);
            products += chunk.tr().matmul(&chunk);
        }
        let mean = sum / count as f64;
        let covariance = products / count as f64 - mean.outer(&mean);
        // Eigenvalues come in ascending order.
        let (_, vectors) = covariance.linalg_eigh("L");
        let basis = vectors.narrow(1, pixels - last, last - first + 1).flip([1]);
        Some(Self { basis })
    }

    /// Mean and covariance of images `[n, p]`, u8, in these directions.
    pub fn gaussian(&self, images: &Tensor) -> Gaussian {
        Gaussian::of(&scaled(images).matmul(&self.basis))
    }
}

/// Pixels as shares of white, f64.
fn scaled(images: &Tensor) -> Tensor {
    images.to_kind(Kind::Double) / 255.0
}
