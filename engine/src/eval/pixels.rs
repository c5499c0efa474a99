//! Measures of pixels, which need no features and so exist for any data.

use tch::{Kind, Tensor};

use super::chunks;
use super::reference::spread_sample;

/// Images in memory as f32 at once, with their distances to some pictures.
const CHUNK: i64 = 4000;

/// Pictures whose nearest neighbours are sought, at most.
const ASKED: i64 = 500;

/// Share of the pixels of images, u8, that are 0 or 255: 0 to 1.
pub fn saturated(images: &Tensor) -> f64 {
    let extreme = images.eq(0).logical_or(&images.eq(255));
    extreme
        .to_kind(Kind::Double)
        .mean(Kind::Double)
        .double_value(&[])
}

/// Median Euclidean distance of images `[n, …]`, u8, n ≥ 2, to the nearest other one, in units of one pixel from black
/// to white. 0 where one picture repeats. It is taken among `most` of them, and 500 at most: the nearest of many is nearer
/// than the nearest of few, so distances compare at equal numbers only.
pub fn neighbour_distance(images: &Tensor, most: i64) -> f64 {
    let images = spread_sample(images, ASKED.min(most).min(images.size()[0]));
    median_root(&nearest_squares(&images, &images, 2))
}

/// How close pictures are to the images that a generator was trained on.
#[derive(Debug)]
pub struct Copying {
    /// Median distance of a training image to the nearest other.
    own: f64,
}

impl Copying {
    /// Most pixels of all training images together that are searched: those of MNIST and some more, half a second on two
    /// cores.
    pub const MOST_PIXELS: usize = 64_000_000;

    /// Measures the usual distance among the training images, `[n, …]`, u8. `None` if most of them have a duplicate: then
    /// copies could not be told from fresh pictures.
    pub fn among(training: &Tensor) -> Option<Self> {
        let asked = spread_sample(training, ASKED.min(training.size()[0]));
        let own = median_root(&nearest_squares(&asked, training, 2));
        (own > 0.0).then_some(Self { own })
    }

    /// Median distance of pictures to the nearest training image, over that of training images to the nearest other one:
    /// about 1 for fresh pictures, 0 for copies.
    pub fn of(&self, pictures: &Tensor, training: &Tensor) -> f64 {
        let asked = spread_sample(pictures, ASKED.min(pictures.size()[0]));
        median_root(&nearest_squares(&asked, training, 1)) / self.own
    }
}

/// Squared distance of each image to the one of rank `rank` among `others`, the nearest having rank 1, in units of one
/// pixel from black to white: `[n]`, f32.
fn nearest_squares(images: &Tensor, others: &Tensor, rank: i64) -> Tensor {
    let flat = |images: &Tensor| images.flatten(1, -1).to_kind(Kind::Float) / 255.0;
    let squares = |of: &Tensor| of.square().sum_dim_intlist(1, false, Kind::Float);
    let images = flat(images);
    let mut nearest = Tensor::full(
        [images.size()[0], rank],
        f64::INFINITY,
        (Kind::Float, images.device()),
    );
    for (first, length) in chunks(others.size()[0], CHUNK) {
        let others = flat(&others.narrow(0, first, length));
        let sums = squares(&images).unsqueeze(1) + squares(&others).unsqueeze(0);
        let found = sums.addmm(&(&images * -2.0), &others.tr());
        nearest = Tensor::cat(&[&nearest, &found], 1)
            .topk(rank, 1, false, true)
            .0;
    }
    nearest.select(1, rank - 1).clamp_min(0.0)
}

fn median_root(squares: &Tensor) -> f64 {
    // Below this, a distance is the rounding error of a difference of two sums of squares in single precision.
    const ROUNDING: f64 = 0.02;
    let middle = squares.median().sqrt().double_value(&[]);
    if middle < ROUNDING { 0.0 } else { middle }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    /// Random images of 8×8 pixels.
    fn random_images(count: i64, seed: i64) -> Tensor {
        tch::manual_seed(seed);
        Tensor::randint(256, [count, 1, 8, 8], (Kind::Uint8, Device::Cpu))
    }

    #[test]
    fn repeated_pictures_are_at_no_distance() {
        let images = random_images(300, 1);
        assert!(neighbour_distance(&images, 300) > 2.0);
        let one = images.narrow(0, 0, 1).repeat([300, 1, 1, 1]);
        assert_eq!(neighbour_distance(&one, 300), 0.0);
        let twice = Tensor::cat(&[&images, &images], 0);
        assert_eq!(neighbour_distance(&twice, 600), 0.0);
    }

    #[test]
    fn distances_among_equally_many_pictures_compare() {
        let [many, few] = [random_images(500, 1), random_images(100, 2)];
        let of_few = neighbour_distance(&few, 100);
        assert!(neighbour_distance(&many, 500) < 0.98 * of_few);
        let equal = neighbour_distance(&many, 100) / of_few;
        assert!((0.98..1.02).contains(&equal), "{equal}");
    }

    #[test]
    fn copies_are_told_from_fresh_pictures() {
        let training = random_images(5000, 1);
        let copying = Copying::among(&training).unwrap();
        let copies = training.narrow(0, 4000, 400);
        assert_eq!(copying.of(&copies, &training), 0.0);
        let fresh = copying.of(&random_images(400, 2), &training);
        assert!((0.9..1.1).contains(&fresh), "{fresh}");
        // A copy with every pixel a grey level off is still a copy.
        let near = copying.of(&copies.clamp(1, 254), &training);
        assert!(near < 0.1, "{near}");
        assert!(Copying::among(&copies.repeat([2, 1, 1, 1])).is_none());
    }

    #[test]
    fn black_and_white_pixels_are_counted() {
        let pixels: Vec<u8> = vec![0, 255, 1, 254, 128, 0, 0, 255];
        assert_eq!(
            saturated(&Tensor::from_slice(&pixels).view([2, 1, 2, 2])),
            0.625
        );
    }
}
