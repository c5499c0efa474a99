//! Controls: real pictures with a known defect, by which other pictures are measured.

use sparring_contract::protocol::{Control, Figures};
use tch::{Kind, Tensor};

use super::noise::{normal, random_bytes};
use super::real::{PICTURES, RealData};

/// How often each picture of [`Defect::Repeated`] comes.
const REPEATS: i64 = 20;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Shifted to the right by half a pixel, between the pixels.
    HalfPixelShift,
    /// Shifted to the right by one pixel.
    OnePixelShift,
    /// Shifted to the right by two pixels.
    TwoPixelShift,
    /// Without the last class.
    MissingClass,
    /// Each pixel the mean of 3×3.
    Blur,
    /// Every channel of a pixel 255 if it is above 127, else 0.
    Threshold,
    /// Few pictures, each twenty times.
    Repeated,
    /// With normal noise of a sixteenth of white.
    Noise,
    /// Drawn from a normal distribution for each class, with the mean and the covariance of its pixels.
    ClassGaussians,
    /// Every pixel random.
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

    /// Those that make sense for a data set: two of them need its labels.
    pub fn of(data: &RealData) -> impl Iterator<Item = Self> + use<> {
        let is_labelled = data.num_classes() > 1;
        Self::ALL
            .into_iter()
            .filter(move |defect| is_labelled || !defect.needs_labels())
    }

    fn needs_labels(self) -> bool {
        matches!(self, Self::MissingClass | Self::ClassGaussians)
    }

    /// A name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::HalfPixelShift => "half_pixel_shift",
            Self::OnePixelShift => "one_pixel_shift",
            Self::TwoPixelShift => "two_pixel_shift",
            Self::MissingClass => "missing_class",
            Self::Blur => "blur",
            Self::Threshold => "threshold",
            Self::Repeated => "repeated",
            Self::Noise => "noise",
            Self::ClassGaussians => "class_gaussians",
            Self::Static => "static",
        }
    }

    /// What the pictures are, in words.
    pub fn words(self, data: &RealData) -> String {
        let noun = data.noun();
        match self {
            Self::HalfPixelShift => format!("real {noun} shifted by half a pixel"),
            Self::OnePixelShift => format!("real {noun} shifted by one pixel"),
            Self::TwoPixelShift => format!("real {noun} shifted by two pixels"),
            Self::MissingClass if data.is_mnist() => "real digits without nines".to_owned(),
            Self::MissingClass => {
                let name = data.class_names.last().map_or("", String::as_str);
                format!("real {noun} without class {name}")
            }
            Self::Blur => format!("real {noun} blurred over 3×3 pixels"),
            Self::Threshold if data.shape()[0] == 1 => format!("real {noun} in black and white"),
            Self::Threshold => format!("real {noun} in eight colours"),
            Self::Repeated => {
                let few = count(data) / REPEATS;
                format!("{few} real {noun}, each {REPEATS} times")
            }
            Self::Noise => format!("real {noun} with noise of a sixteenth of white"),
            Self::ClassGaussians if data.is_mnist() => "ten class Gaussians".to_owned(),
            Self::ClassGaussians => "class Gaussians".to_owned(),
            Self::Static => "random pixels".to_owned(),
        }
    }

    /// The control's entry in a report.
    pub(super) fn control(self, data: &RealData, figures: Figures, floor: f64) -> Control {
        Control {
            name: self.name().to_owned(),
            words: self.words(data),
            figures,
            floor,
        }
    }

    /// Pictures `[n, channels, height, width]`, u8, n as many as the training pictures and up to 10,000; fewer where a
    /// class is missing. Always the same ones.
    pub fn pictures(self, data: &RealData) -> Tensor {
        let all = &data.training.pictures;
        let count = count(data);
        let real = all.narrow(0, 0, count);
        match self {
            Self::HalfPixelShift => {
                let values = real.to_kind(Kind::Float);
                to_bytes(&((&values + shifted(&values, 1)) / 2.0))
            }
            Self::OnePixelShift => shifted(&real, 1),
            Self::TwoPixelShift => shifted(&real, 2),
            Self::MissingClass => match data.labels() {
                Some([labels, _]) => {
                    let others = labels.ne(data.num_classes() - 1).nonzero().view([-1]);
                    let count = count.min(others.size()[0]);
                    all.index_select(0, &others.narrow(0, 0, count))
                }
                None => real,
            },
            Self::Blur => blurred(&real),
            Self::Threshold => real.gt(127).to_kind(Kind::Uint8) * 255,
            Self::Repeated => {
                let few = (count / REPEATS).max(1);
                real.narrow(0, 0, few).repeat([REPEATS, 1, 1, 1])
            }
            Self::Noise => {
                let values = real.to_kind(Kind::Float);
                to_bytes(&(&values + normal(&values.size(), 0) * 16.0))
            }
            Self::ClassGaussians => match class_gaussians(data) {
                Some((pictures, _)) => pictures,
                None => real,
            },
            Self::Static => random_bytes(&real.size()),
        }
    }
}

/// How many pictures a control has.
pub(super) fn count(data: &RealData) -> i64 {
    PICTURES.min(data.training.count())
}

/// Moves pictures to the right; the left column is repeated, so that any background goes on.
fn shifted(pictures: &Tensor, pixels: i64) -> Tensor {
    let width = pictures.size()[3];
    let edge = pictures.narrow(3, 0, 1).repeat([1, 1, 1, pixels]);
    Tensor::cat(&[&edge, &pictures.narrow(3, 0, width - pixels)], 3)
}

/// Each pixel the mean of 3×3; pixels beyond the edge are left out of it.
pub(super) fn blurred(pictures: &Tensor) -> Tensor {
    let values = pictures.to_kind(Kind::Float);
    to_bytes(&values.avg_pool2d([3, 3], [1, 1], [1, 1], false, false, None))
}

/// Values of 0 to 255, rounded to bytes.
fn to_bytes(values: &Tensor) -> Tensor {
    values.round().clamp(0.0, 255.0).to_kind(Kind::Uint8)
}

/// [`Defect::ClassGaussians`] and the class of each, `[n]`, i64: as many pictures of each class as the first 10,000 of
/// the data have, one class after the other. `None` without labels.
pub(super) fn class_gaussians(data: &RealData) -> Option<(Tensor, Tensor)> {
    let [labels, _] = data.labels()?;
    let all = &data.training.pictures;
    let (classes, _) = labels.narrow(0, 0, count(data)).sort(0, false);
    let drawn: Vec<_> = (0..data.num_classes())
        .filter_map(|class| {
            let count = classes.eq(class).sum(Kind::Int64).int64_value(&[]);
            let chosen = labels.eq(class).nonzero().view([-1]);
            (count > 0).then(|| {
                let of_class = all.index_select(0, &chosen);
                gaussian(&of_class, count, 1 + class.unsigned_abs())
            })
        })
        .collect();
    let mut size = all.size();
    size[0] = classes.size()[0];
    Some((Tensor::cat(&drawn, 0).view(size.as_slice()), classes))
}

/// `count` pictures `[count, pixels]` with the mean and the covariance of some, `[n, …]`, u8, n ≥ 1.
fn gaussian(pictures: &Tensor, count: i64, counter: u64) -> Tensor {
    let points = pictures.flatten(1, -1).to_kind(Kind::Double);
    let (others, pixels) = (points.size()[0], points.size()[1]);
    let mean = points.mean_dim(0, true, Kind::Double);
    let centred = points - &mean;
    let freedom = (others - 1).max(1) as f64;
    // Normal noise times a root of the covariance: its Cholesky factor, or, where that would be the larger matrix, the
    // centred pictures themselves.
    let root = if others > pixels {
        let covariance = centred.tr().matmul(&centred) / freedom;
        // Pixels that are always black have no variance; a tenth of a grey gives the matrix a root and is rounded away.
        let root = (covariance + Tensor::eye(pixels, (Kind::Double, centred.device())) * 0.01)
            .linalg_cholesky(false);
        root.tr()
    } else {
        centred / freedom.sqrt()
    };
    let noise = normal(&[count, root.size()[0]], counter).to_kind(Kind::Double);
    to_bytes(&(noise.matmul(&root) + mean))
}
