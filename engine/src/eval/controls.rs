//! Real digits with a known defect: what a judge must tell apart, and by which others are measured.

use sparring_contract::protocol::{Control, Figures};
use tch::{Kind, Tensor};

use crate::seed::{Stream, derive};

/// How many pictures a control has.
const COUNT: i64 = 10_000;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Shifted to the right by half a pixel, between the pixels.
    HalfPixelShift,
    /// Shifted to the right by one pixel.
    OnePixelShift,
    /// Shifted to the right by two pixels.
    TwoPixelShift,
    /// Without nines.
    MissingClass,
    /// Each pixel the mean of 3×3.
    Blur,
    /// Pixels above 127 white, all others black.
    Threshold,
    /// 500 digits, each twenty times.
    Repeated,
    /// With normal noise of a sixteenth of white.
    Noise,
    /// Drawn from a normal distribution for each class, with the mean and the covariance of its pixels.
    ClassGaussians,
    /// No digits, every pixel by chance.
    Static,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::HalfPixelShift,
        Self::OnePixelShift,
        Self::TwoPixelShift,
        Self::MissingClass,
        Self::Blur,
        Self::Threshold,
        Self::Repeated,
        Self::Noise,
        Self::ClassGaussians,
        Self::Static,
    ];

    /// A name for programs, and what the pictures are in words.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::HalfPixelShift => ("half_pixel_shift", "real digits shifted by half a pixel"),
            Self::OnePixelShift => ("one_pixel_shift", "real digits shifted by one pixel"),
            Self::TwoPixelShift => ("two_pixel_shift", "real digits shifted by two pixels"),
            Self::MissingClass => ("missing_class", "real digits without nines"),
            Self::Blur => ("blur", "real digits blurred over 3×3 pixels"),
            Self::Threshold => ("threshold", "real digits in black and white"),
            Self::Repeated => ("repeated", "500 real digits, each 20 times"),
            Self::Noise => ("noise", "real digits with noise of a sixteenth of white"),
            Self::ClassGaussians => ("class_gaussians", "ten class Gaussians"),
            Self::Static => ("static", "pixels by chance"),
        }
    }

    /// The control's entry in a report.
    pub(super) fn control(self, figures: Figures, floor: f64) -> Control {
        let (name, words) = self.names();
        Control {
            name: name.to_owned(),
            words: words.to_owned(),
            figures,
            floor,
        }
    }

    /// 10,000 pictures `[10000, 1, 28, 28]`, u8, from MNIST's training digits `[60000, 1, 28, 28]`, u8, and their
    /// labels `[60000]`, i64. Always the same ones.
    pub fn pictures(self, digits: &Tensor, labels: &Tensor) -> Tensor {
        let real = digits.narrow(0, 0, COUNT);
        match self {
            Self::HalfPixelShift => {
                let grey = real.to_kind(Kind::Float);
                rounded(&((&grey + shifted(&grey, 1)) / 2.0))
            }
            Self::OnePixelShift => shifted(&real, 1),
            Self::TwoPixelShift => shifted(&real, 2),
            Self::MissingClass => {
                let chosen = labels.ne(9).nonzero().view([-1]);
                digits.index_select(0, &chosen.narrow(0, 0, COUNT))
            }
            Self::Blur => rounded(&real.to_kind(Kind::Float).avg_pool2d(
                [3, 3],
                [1, 1],
                [1, 1],
                false,
                true,
                None,
            )),
            Self::Threshold => real.gt(127).to_kind(Kind::Uint8) * 255,
            Self::Repeated => real.narrow(0, 0, 500).repeat([20, 1, 1, 1]),
            Self::Noise => {
                let grey = real.to_kind(Kind::Float);
                rounded(&(&grey + normal(&grey.size(), 0) * 16.0))
            }
            Self::ClassGaussians => class_gaussians(digits, labels),
            Self::Static => by_chance(&real.size()),
        }
    }
}

/// [`Defect::ClassGaussians`], and the class of each, `[10000]`, i64.
pub(super) fn labelled_gaussians(digits: &Tensor, labels: &Tensor) -> (Tensor, Tensor) {
    let (classes, _) = labels.narrow(0, 0, COUNT).sort(0, false);
    (Defect::ClassGaussians.pictures(digits, labels), classes)
}

/// Moves pictures to the right; what comes in is black.
fn shifted(pictures: &Tensor, pixels: i64) -> Tensor {
    let width = pictures.size()[3];
    pictures
        .constant_pad_nd([pixels, 0])
        .narrow(3, 0, width)
        .contiguous()
}

/// Values of 0 to 255, rounded to bytes.
fn rounded(values: &Tensor) -> Tensor {
    values.round().clamp(0.0, 255.0).to_kind(Kind::Uint8)
}

/// As many pictures of each class as the first 10,000 digits have, one class after the other.
fn class_gaussians(digits: &Tensor, labels: &Tensor) -> Tensor {
    let pixels: i64 = digits.size()[1..].iter().product();
    let drawn: Vec<_> = (0..10)
        .map(|class| {
            let chosen = labels.eq(class).nonzero().view([-1]);
            let of_class = digits
                .index_select(0, &chosen)
                .view([-1, pixels])
                .to_kind(Kind::Double);
            let mean = of_class.mean_dim(0, true, Kind::Double);
            let centred = of_class - &mean;
            let covariance = centred.tr().matmul(&centred) / (chosen.size()[0] - 1) as f64;
            // Pixels that are always black have no variance; a tenth of a grey gives the matrix a root and is
            // rounded away.
            let root = (covariance + Tensor::eye(pixels, (Kind::Double, digits.device())) * 0.01)
                .linalg_cholesky(false);
            let count = labels
                .narrow(0, 0, COUNT)
                .eq(class)
                .sum(Kind::Int64)
                .int64_value(&[]);
            let noise = normal(&[count, pixels], 1 + class.unsigned_abs());
            rounded(&(noise.to_kind(Kind::Double).matmul(&root.tr()) + mean))
        })
        .collect();
    let mut size = digits.size();
    size[0] = COUNT;
    Tensor::cat(&drawn, 0).view(size.as_slice())
}

/// Normal numbers, f32, always the same: libtorch's generator is shared by the whole process.
fn normal(size: &[i64], counter: u64) -> Tensor {
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

/// Bytes by chance, always the same.
fn by_chance(size: &[i64]) -> Tensor {
    let count = size.iter().product::<i64>().unsigned_abs();
    let bytes: Vec<_> = (0..count.div_ceil(8))
        .flat_map(|index| derive(99, Stream::Fixed, index).to_le_bytes())
        .collect();
    Tensor::from_slice(&bytes)
        .narrow(0, 0, count.cast_signed())
        .view(size)
}
