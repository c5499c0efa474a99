//! Random numbers that are always the same, and leave libtorch's generator alone: the whole process shares that.

use tch::Tensor;

use crate::seed::{Stream, derive};

/// Standard normal numbers, f32; others for each counter.
pub(super) fn normal(size: &[i64], counter: u64) -> Tensor {
    let numbers: Vec<_> = (0..size.iter().product::<i64>().unsigned_abs())
        .map(|index| {
            let word = derive(counter, Stream::Fixed, index);
            // Box and Muller 1958, from the two halves of a word.
            let unit = |half: u64| (half as f64 + 0.5) / 4_294_967_296.0;
            let (radius, angle) = (unit(word >> 32), unit(word & 0xffff_ffff));
            #[allow(clippy::cast_possible_truncation)] // noise needs no more digits
            let number =
                ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32;
            number
        })
        .collect();
    Tensor::from_slice(&numbers).view(size)
}

/// Random bytes.
pub(super) fn random_bytes(size: &[i64]) -> Tensor {
    let count = size.iter().product::<i64>().unsigned_abs();
    let bytes: Vec<_> = (0..count.div_ceil(8))
        .flat_map(|index| derive(99, Stream::Fixed, index).to_le_bytes())
        .collect();
    Tensor::from_slice(&bytes)
        .narrow(0, 0, count.cast_signed())
        .view(size)
}
