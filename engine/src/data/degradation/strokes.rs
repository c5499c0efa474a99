//! Brightness, edges, and strokes of another width.

use tch::{Kind, Tensor};

/// From this magnitude of Sobel's gradient on, a pixel is an edge, where brightness goes from 0 to 1. Its greatest value
/// is about 4.5.
const EDGE: f64 = 1.5;

/// The brightness of pictures `[n, c, h, w]`, `[n, 1, h, w]`: for RGB the weights of ITU-R BT.601.
pub fn luma(pictures: &Tensor) -> Tensor {
    if pictures.size()[1] == 1 {
        return pictures.shallow_clone();
    }
    // A tensor of weights would have to be sent to the device.
    let channel = |index: i64| pictures.narrow(1, index, 1);
    channel(0) * 0.299 + channel(1) * 0.587 + channel(2) * 0.114
}

/// Pictures `[n, c, h, w]` with so many channels, 1 or 3: grey ones in all of them, those in colour by their brightness.
pub fn with_channels(pictures: &Tensor, channels: i64) -> Tensor {
    let size = pictures.size();
    if size[1] == channels {
        return pictures.shallow_clone();
    }
    luma(pictures).expand([size[0], channels, size[2], size[3]], false)
}

/// The edges of pictures `[n, c, h, w]` in [-1, 1], `[n, 1, h, w]`: 1 where the gradient of the brightness is steep
/// (Sobel's operator; the border is repeated), else -1.
pub fn edges(pictures: &Tensor) -> Tensor {
    let brightness = (luma(pictures) + 1.0) / 2.0;
    let padded = brightness.replication_pad2d([1, 1, 1, 1]);
    let size = brightness.size();
    let at = |row: i64, column: i64| padded.narrow(2, row, size[2]).narrow(3, column, size[3]);
    let across = (at(0, 2) + at(1, 2) * 2.0 + at(2, 2)) - (at(0, 0) + at(1, 0) * 2.0 + at(2, 0));
    let down = (at(2, 0) + at(2, 1) * 2.0 + at(2, 2)) - (at(0, 0) + at(0, 1) * 2.0 + at(0, 2));
    let magnitude = (across.square() + down.square()).sqrt();
    magnitude.greater(EDGE).to_kind(Kind::Float) * 2.0 - 1.0
}

/// Pictures `[n, c, h, w]` with thinner bright strokes: each pixel is the darkest of the 2×2 pixels to its right and below.
pub fn thinned(pictures: &Tensor) -> Tensor {
    let padded = pictures.replication_pad2d([0, 1, 0, 1]);
    -(-padded).max_pool2d([2, 2], [1, 1], [0, 0], [1, 1], false)
}

/// Pictures `[n, c, h, w]` with thicker bright strokes: each pixel is the brightest of the 3×3 pixels around it.
pub fn thickened(pictures: &Tensor) -> Tensor {
    pictures.max_pool2d([3, 3], [1, 1], [1, 1], [1, 1], false)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    /// A white square of 4×4 pixels in the middle of a black picture of 12×12.
    fn square() -> Tensor {
        let picture = Tensor::full([1, 1, 12, 12], -1.0, (Kind::Float, Device::Cpu));
        let _ = picture.narrow(2, 4, 4).narrow(3, 4, 4).fill_(1.0);
        picture
    }

    fn white(pictures: &Tensor) -> i64 {
        pictures.greater(0.0).sum(Kind::Int64).int64_value(&[])
    }

    #[test]
    fn strokes_become_thinner_and_thicker() {
        let found = [thinned(&square()), square(), thickened(&square())].map(|it| white(&it));
        assert_eq!(found, [9, 16, 36]);
    }

    #[test]
    fn edges_go_around_what_is_bright_and_even_pictures_have_none() {
        let found = edges(&square());
        assert_eq!(found.double_value(&[0, 0, 5, 4]), 1.0);
        assert_eq!(found.double_value(&[0, 0, 0, 0]), -1.0);
        let even = Tensor::ones([1, 3, 8, 8], (Kind::Float, Device::Cpu));
        assert_eq!(white(&edges(&even)), 0);
    }

    #[test]
    fn white_has_the_greatest_brightness() {
        let white = Tensor::ones([1, 3, 1, 1], (Kind::Float, Device::Cpu));
        assert!((luma(&white).double_value(&[0, 0, 0, 0]) - 1.0).abs() < 1e-6);
    }
}
