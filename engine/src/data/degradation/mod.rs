//! What pictures are made from: conditions that are computed from the pictures themselves, on their device.

mod domains;
mod masks;
mod resampled;
mod strokes;

use sparring_contract::config::{Config, Mask, TaskKind, TranslateFrom};
use tch::Tensor;

use super::Batch;

pub use domains::{domains, opposites, towards};
pub use masks::draw_masks;
pub use resampled::{enlarged, reduced};
pub use strokes::{edges, luma, thickened, thinned, with_channels};

/// How a condition, from which a picture is to be made, is computed from that picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Degradation {
    /// Pixels are missing.
    Holes(Mask),
    /// The picture is smaller by this factor.
    Reduced(u32),
    /// Only its edges are left.
    Edges,
    /// Bright strokes are thinner.
    Thin,
    /// Bright strokes are thicker.
    Thick,
    /// The colours are gone.
    Grey,
    /// The condition is a partner that comes with the picture.
    Partner,
    /// The condition is any picture of the other of two domains.
    Unpaired,
}

impl Degradation {
    /// That of a configuration; `None` if its generator starts from noise alone.
    pub fn new(config: &Config) -> Option<Self> {
        match config.task {
            TaskKind::Generate => None,
            TaskKind::Repair => Some(Self::Holes(config.repair.mask)),
            TaskKind::Enlarge => Some(Self::Reduced(config.enlarge.factor)),
            TaskKind::Translate => Some(match config.translate.from {
                TranslateFrom::Edges => Self::Edges,
                TranslateFrom::Thin => Self::Thin,
                TranslateFrom::Thick => Self::Thick,
                TranslateFrom::Grey => Self::Grey,
                TranslateFrom::Pairs => Self::Partner,
                TranslateFrom::Unpaired => Self::Unpaired,
            }),
        }
    }

    /// Whether there is a true picture that should come out.
    pub fn has_truth(self) -> bool {
        self != Self::Unpaired
    }

    /// What a condition, what is made from it, and the true picture are; a word each. Without a true picture the last is
    /// what comes back, when what was made is translated again.
    pub fn parts(self) -> &'static [&'static str; 3] {
        match self {
            Self::Holes(_) => &["damaged", "repaired", "original"],
            Self::Reduced(_) => &["small", "enlarged", "original"],
            Self::Edges => &["edges", "made", "original"],
            Self::Grey => &["grey", "coloured", "original"],
            Self::Thin | Self::Thick | Self::Partner => &["from", "made", "original"],
            Self::Unpaired => &["from", "made", "back"],
        }
    }

    /// Channels of the condition of pictures with this many channels.
    pub fn channels(self, channels: i64) -> i64 {
        match self {
            Self::Holes(_) | Self::Unpaired => channels + 1,
            Self::Reduced(_) | Self::Thin | Self::Thick | Self::Partner => channels,
            Self::Edges | Self::Grey => 1,
        }
    }

    /// Channels of what the discriminator sees beside pictures with this many channels: the condition; without pairs only the
    /// domain.
    pub fn seen_channels(self, channels: i64) -> i64 {
        match self {
            Self::Unpaired => 1,
            _ => self.channels(channels),
        }
    }

    /// 1 where a pixel of pictures with so many channels is missing, `[n, 1, h, w]`, from what they are to be made from,
    /// `[n, …, h, w]`; `None` if all pixels are to be made.
    pub fn missing(self, conditions: &Tensor, channels: i64) -> Option<Tensor> {
        matches!(self, Self::Holes(_)).then(|| conditions.narrow(1, channels, 1))
    }

    /// The conditions `[n, channels, h, w]` in [-1, 1] of a batch. Holes draw from libtorch's generator, on the batch's
    /// device. The condition of a picture with holes is [`with_holes`].
    pub fn apply(self, batch: &Batch) -> Tensor {
        let pictures = &batch.images;
        match self {
            Self::Holes(mask) => with_holes(pictures, &draw_masks(mask, pictures)),
            Self::Reduced(factor) => {
                let factor = i64::from(factor);
                enlarged(&reduced(pictures, factor), factor)
            }
            Self::Edges => edges(pictures),
            Self::Thin => thinned(pictures),
            Self::Thick => thickened(pictures),
            Self::Grey => luma(pictures),
            Self::Partner => batch
                .partners
                .as_ref()
                .map_or_else(|| pictures.shallow_clone(), Tensor::shallow_clone),
            Self::Unpaired => {
                let targets = domains(batch);
                towards(&targets, &pictures.index_select(0, &opposites(&targets)))
            }
        }
    }
}

/// The condition of pictures `[n, c, h, w]` with the pixels missing where the masks `[n, 1, h, w]` are 1: the pictures
/// with zeros there, and the masks behind, `[n, c + 1, h, w]`.
pub fn with_holes(pictures: &Tensor, masks: &Tensor) -> Tensor {
    let known = pictures * (1.0 - masks);
    Tensor::cat(&[&known, masks], 1)
}
