//! Smaller pictures, and larger ones.

use tch::Tensor;

/// Pictures `[n, c, h, w]` in [-1, 1], smaller by a factor that divides both sides: each pixel is the mean of a square, as
/// a camera takes it, rounded to one of 256 levels.
pub fn reduced(pictures: &Tensor, factor: i64) -> Tensor {
    let means = pictures.avg_pool2d(
        [factor, factor],
        [factor, factor],
        [0, 0],
        false,
        true,
        None,
    );
    ((means + 1.0) * 127.5).round() / 127.5 - 1.0
}

/// Pictures `[n, c, h, w]` in [-1, 1], larger by a factor, by bicubic interpolation (PyTorch's, with a = -0.75): the plain
/// method, and what the generator of enlarged pictures starts from.
pub fn enlarged(pictures: &Tensor, factor: i64) -> Tensor {
    let size = pictures.size();
    let larger = [size[2] * factor, size[3] * factor];
    let larger = pictures.upsample_bicubic2d(larger, false, None, None);
    larger.clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn a_pixel_of_a_reduced_picture_is_the_mean_of_a_square_rounded_to_a_level() {
        let picture = Tensor::from_slice(&[-1.0_f32, 1.0, 1.0, 1.0]).view([1, 1, 2, 2]);
        let small = reduced(&picture, 2);
        // (0 + 255 + 255 + 255) / 4 = 191.25
        let level = (small.double_value(&[0, 0, 0, 0]) + 1.0) * 127.5;
        assert!((level - 191.0).abs() < 1e-4, "{level}");
    }

    #[test]
    fn what_is_even_stays_even() {
        let grey = Tensor::full([2, 3, 4, 4], 51.0 / 127.5 - 1.0, (Kind::Float, Device::Cpu));
        let back = enlarged(&reduced(&grey, 2), 2);
        assert_eq!(back.size(), [2, 3, 4, 4]);
        assert!((back - grey).abs().max().double_value(&[]) < 1e-6);
    }
}
