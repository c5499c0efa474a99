//! How near pictures come to the true ones.

use sparring_contract::protocol::Fidelity;
use tch::{Device, Kind, Tensor};

use super::chunks;

/// Pictures that are compared at once.
const CHUNK: i64 = 1000;

/// Side of the window of SSIM in pixels, and the standard deviation of its weights.
const WINDOW: i64 = 11;
const SPREAD: f64 = 1.5;

/// Compares pictures with the true ones, both `[n, channels, height, width]`, u8, on the same device. Where `missing`,
/// `[n, 1, height, width]`, is given, PSNR and L1 are those of the pixels at which it is 1. The label is left to others.
pub fn fidelity(pictures: &Tensor, truth: &Tensor, missing: Option<&Tensor>) -> Fidelity {
    let size = pictures.size();
    let (mut squares, mut absolutes, mut pixels, mut similarities) = (0.0, 0.0, 0.0, 0.0);
    for (first, length) in chunks(size[0], CHUNK) {
        let part = |all: &Tensor| all.narrow(0, first, length).to_kind(Kind::Float);
        let (made, real) = (part(pictures) / 255.0, part(truth) / 255.0);
        let counted = match missing {
            Some(missing) => part(missing).expand_as(&made),
            None => made.ones_like(),
        };
        let difference = (&made - &real) * &counted;
        let sum = |of: Tensor| of.sum(Kind::Double).double_value(&[]);
        squares += sum(difference.square());
        absolutes += sum(difference.abs());
        pixels += sum(counted);
        similarities += sum(similarity(&made, &real));
    }
    Fidelity {
        // Of the mean error of all pictures: the mean of their own PSNRs reads half a decibel to a decibel more.
        psnr: -10.0 * (squares / pixels).log10(),
        ssim: similarities / size[0] as f64,
        l1: absolutes / pixels,
        label_kept: None,
        frechet: None,
    }
}

/// The structural similarity of each pair of pictures, `[n]`: the mean over all places of the window within the picture
/// and over all channels (Wang, Bovik, Sheikh and Simoncelli 2004, «Image Quality Assessment», section III.C), with pixels
/// from 0 to 1. NaN for pictures smaller than the window.
fn similarity(a: &Tensor, b: &Tensor) -> Tensor {
    const C1: f64 = 0.01 * 0.01;
    const C2: f64 = 0.03 * 0.03;
    let size = a.size();
    if size[2].min(size[3]) < WINDOW {
        return Tensor::full([size[0]], f64::NAN, (Kind::Float, a.device()));
    }
    let flat = |pictures: &Tensor| pictures.reshape([-1, 1, size[2], size[3]]);
    let (a, b) = (flat(a), flat(b));
    let mean = |of: &Tensor| blurred_by_window(of);
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let variance_a = mean(&a.square()) - mean_a.square();
    let variance_b = mean(&b.square()) - mean_b.square();
    let covariance = mean(&(&a * &b)) - &mean_a * &mean_b;
    let above = (&mean_a * &mean_b * 2.0 + C1) * (covariance * 2.0 + C2);
    let below = (mean_a.square() + mean_b.square() + C1) * (variance_a + variance_b + C2);
    (above / below)
        .view([size[0], -1])
        .mean_dim([1].as_slice(), false, Kind::Float)
}

/// The weighted mean of each window that lies within `[n, 1, h, w]`.
fn blurred_by_window(pictures: &Tensor) -> Tensor {
    let places = Tensor::arange(WINDOW, (Kind::Float, Device::Cpu)) - (WINDOW / 2) as f64;
    let weights = (places.square() / (-2.0 * SPREAD * SPREAD)).exp();
    let weights = (&weights / weights.sum(Kind::Float)).to_device(pictures.device());
    let along = |pictures: &Tensor, shape: [i64; 4]| {
        pictures.conv2d(
            &weights.view(shape),
            None::<Tensor>,
            [1, 1],
            [0, 0],
            [1, 1],
            1,
        )
    };
    let rows = along(pictures, [1, 1, WINDOW, 1]);
    along(&rows, [1, 1, 1, WINDOW])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_near_to_itself_as_can_be() {
        let pictures = Tensor::randint(256, [3, 3, 16, 20], (Kind::Uint8, Device::Cpu));
        let found = fidelity(&pictures, &pictures, None);
        assert_eq!((found.psnr, found.l1), (f64::INFINITY, 0.0));
        assert!((found.ssim - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_difference_of_a_tenth_everywhere_is_20_decibels() {
        let black = Tensor::zeros([2, 1, 16, 16], (Kind::Uint8, Device::Cpu));
        let found = fidelity(&(&black + 51), &black, None);
        assert!((found.l1 - 0.2).abs() < 1e-6);
        // 20 log10(1 / 0.2)
        assert!((found.psnr - 13.979_4).abs() < 1e-4, "{}", found.psnr);
    }

    #[test]
    fn only_missing_pixels_count_where_some_are() {
        let truth = Tensor::zeros([1, 1, 16, 16], (Kind::Uint8, Device::Cpu));
        let made = truth.copy();
        let _ = made.narrow(3, 0, 8).fill_(255);
        let missing = Tensor::zeros([1, 1, 16, 16], (Kind::Float, Device::Cpu));
        let _ = missing.narrow(3, 4, 8).fill_(1.0);
        assert_eq!(fidelity(&made, &truth, Some(&missing)).l1, 0.5);
    }

    #[test]
    fn structural_similarity_is_that_of_scikit_image() {
        // tests/python/ssim.py
        const EXPECTED: f64 = 0.601_854;
        let pictures = |pixel: fn(u64) -> u64| {
            let bytes: Vec<u8> = (0..2 * 14 * 15)
                .map(|n| u8::try_from(pixel(n) % 256).unwrap())
                .collect();
            Tensor::from_slice(&bytes).view([2, 1, 14, 15])
        };
        let a = pictures(|n| n * 7919);
        let b = pictures(|n| n * 7919 + n * n % 64);
        let found = fidelity(&a, &b, None).ssim;
        assert!((found - EXPECTED).abs() < 1e-5, "{found}");
    }
}
