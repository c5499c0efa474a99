//! The task of making pictures from a user's pictures.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::config::{Mask, TaskKind};
use sparring_contract::protocol::{MaskChoice, Purpose, TaskReply, Translation, write_frame};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Kind, Tensor};

use super::maker::Maker;
use super::unpaired;
use crate::data::{
    Batch, Degradation, Images, NamedImages, draw_masks, enlarged, from_bytes, luma, reduced,
    to_bytes, with_channels, with_holes,
};
use crate::gan::in_tiles;
use crate::trainer::pictures;

/// Pixels of a user's pictures that one reply answers, unless one picture has more.
const REPLY_PIXELS: usize = 64 << 10;

/// Makes pictures and sends them.
pub(super) fn translate(out: &mut impl Write, translation: &Translation) -> anyhow::Result<()> {
    let path = &translation.checkpoint;
    let header = CheckpointHeader::read_intact(path)?;
    let learnt = header.config.task;
    // A generator that has learnt to make pictures from noise can repair too.
    let can = learnt == translation.learnt
        || (learnt == TaskKind::Generate && translation.learnt == TaskKind::Repair);
    if !can {
        let instead = match learnt {
            TaskKind::Generate => "sample",
            task => task.name(),
        };
        bail!(
            "{} has learnt to {}, not to {}: use `sparring {instead}`, or train with --task {}",
            path.display(),
            learnt.name(),
            translation.learnt.name(),
            translation.learnt.name(),
        );
    }
    let named = match &translation.mask {
        Some(MaskChoice::Named(mask)) => Some(*mask),
        // What is missing is in the file.
        Some(MaskChoice::File(_)) => Some(Mask::default()),
        None => None,
    };
    let maker = Maker::load(path, &header, &translation.device, named)?;
    let target = match (maker.degradation(), translation.to.as_deref()) {
        (Degradation::Unpaired, to) => unpaired::target(&header.class_names, to)?,
        (_, None) => 0,
        (_, Some(_)) => bail!(
            "{} has learnt with pairs, and one way: leave --to out",
            path.display()
        ),
    };
    let answering = Answering {
        maker,
        target,
        translation,
        shape: header.shape,
        mask: mask(translation, header.shape)?,
        step: header.step,
    };
    tch::manual_seed(translation.seed.cast_signed());
    for input in &translation.inputs {
        answering.answer(out, input)?;
    }
    Ok(())
}

/// What makes pictures from pictures.
struct Answering<'a> {
    maker: Maker,
    translation: &'a Translation,
    /// Without pairs, the domain that pictures are to be made of, 0 or 1.
    target: usize,
    /// Of the pictures that it was trained on, `[channels, height, width]`.
    shape: [i64; 3],
    /// The user's mask, `[1, 1, h, w]`, 1 where a pixel is missing.
    mask: Option<Tensor>,
    step: u64,
}

/// What comes out of some pictures; all u8, on the CPU.
struct Made {
    /// What was given.
    before: Tensor,
    answers: Vec<Tensor>,
    /// What should come out, if it is known; without pairs what comes back.
    original: Option<Tensor>,
}

impl Answering<'_> {
    /// Answers the pictures of a file or folder.
    fn answer(&self, out: &mut impl Write, input: &Path) -> anyhow::Result<()> {
        let NamedImages { images, names } = NamedImages::load(input, self.side())?;
        let unusable = || format!("cannot use {}", input.display());
        self.check(&images).with_context(unusable)?;
        let at_once = (REPLY_PIXELS / images.picture_bytes().max(1)).max(1);
        for (index, names) in names.chunks(at_once).enumerate() {
            let places: Vec<_> = (0..names.len())
                .map(|place| index * at_once + place)
                .collect();
            let given = from_bytes(&images.select(&places).tensor());
            let made = self.make(&given)?;
            let reply = TaskReply::Translated {
                names: names.to_vec(),
                pictures: self.reply(made),
            };
            write_frame(out, &reply)?;
        }
        out.flush()?;
        Ok(())
    }

    /// The side to which picture files are brought; none for what may have any size, or was not square in training.
    fn side(&self) -> Option<u32> {
        match self.maker.degradation() {
            Degradation::Reduced(_) => None,
            _ => side_of(self.shape),
        }
    }

    /// Whether pictures have a size that it can take.
    fn check(&self, images: &Images) -> anyhow::Result<()> {
        let [_, height, width] = self.shape;
        let found = [images.height, images.width].map(|side| side as i64);
        match self.maker.degradation() {
            Degradation::Reduced(factor) if self.translation.from_whole => {
                if found.iter().any(|side| side % i64::from(factor) != 0) {
                    bail!(
                        "its pictures are {}x{}, and {factor} does not divide both sides",
                        found[0],
                        found[1]
                    );
                }
            }
            Degradation::Reduced(_) => {}
            _ if found == [height, width] => {}
            _ => bail!(
                "its pictures are {}x{}, and the run was trained on {height}x{width}: resize them first",
                found[0],
                found[1]
            ),
        }
        Ok(())
    }

    /// Makes pictures from pictures in [-1, 1].
    fn make(&self, given: &Tensor) -> anyhow::Result<Made> {
        let channels = self.shape[0];
        let whole = self.translation.from_whole;
        match self.maker.degradation() {
            Degradation::Holes(trained) => {
                let pictures = with_channels(given, channels);
                let masks = match (&self.mask, &self.translation.mask) {
                    (Some(mask), _) => {
                        let size = pictures.size();
                        mask.expand([size[0], 1, size[2], size[3]], false)
                    }
                    (None, Some(MaskChoice::Named(named))) => draw_masks(*named, &pictures),
                    (None, _) => draw_masks(trained, &pictures),
                };
                let conditions = with_holes(&pictures, &masks);
                Ok(Made {
                    before: bytes(&conditions.narrow(1, 0, channels)),
                    answers: self.answers(|| self.maker.make(&conditions)),
                    original: None,
                })
            }
            Degradation::Reduced(factor) => {
                let factor = i64::from(factor);
                let pictures = with_channels(given, channels);
                let small = if whole {
                    reduced(&pictures, factor)
                } else {
                    pictures.shallow_clone()
                };
                let [_, height, width] = self.shape;
                let tile = [height / factor, width / factor];
                let blocks = small
                    .repeat_interleave_self_int(factor, 2, None)
                    .repeat_interleave_self_int(factor, 3, None);
                let answers = self.answers(|| {
                    let made = in_tiles(&small, tile, factor, |tile| {
                        self.maker.make(&enlarged(tile, factor))
                    });
                    made.round().to_kind(Kind::Uint8)
                });
                Ok(Made {
                    before: bytes(&blocks),
                    answers,
                    original: whole.then(|| bytes(&pictures)),
                })
            }
            Degradation::Partner if whole => bail!(
                "the run makes pictures from partners of your own, which cannot be made from whole pictures: leave \
                 --from-whole out"
            ),
            Degradation::Unpaired if whole => bail!(
                "the run makes pictures of one domain from pictures of another, which cannot be made of whole pictures: \
                 leave --from-whole out"
            ),
            Degradation::Unpaired => {
                let pictures = with_channels(given, channels);
                let towards = |pictures: &Tensor, domain: usize| {
                    self.maker.make(&unpaired::conditions(pictures, domain))
                };
                let answers = self.answers(|| towards(&pictures, self.target));
                let back = answers
                    .first()
                    .map(|made| towards(&from_bytes(made), 1 - self.target));
                Ok(Made {
                    before: bytes(&pictures),
                    answers,
                    original: back,
                })
            }
            degradation if whole => {
                let pictures = with_channels(given, channels);
                let batch = Batch {
                    images: pictures.shallow_clone(),
                    classes: None,
                    partners: None,
                };
                let conditions = degradation.apply(&batch);
                Ok(Made {
                    before: bytes(&with_channels(&conditions, channels)),
                    answers: self.answers(|| self.maker.make(&conditions)),
                    original: Some(bytes(&pictures)),
                })
            }
            degradation => {
                let conditions = with_channels(given, degradation.channels(channels));
                Ok(Made {
                    before: bytes(&with_channels(&conditions, channels)),
                    answers: self.answers(|| self.maker.make(&conditions)),
                    original: None,
                })
            }
        }
    }

    fn answers(&self, answer: impl Fn() -> Tensor) -> Vec<Tensor> {
        (0..self.translation.answers.max(1))
            .map(|_| answer())
            .collect()
    }

    /// Of each picture in turn what it was made from, the answers, and the original.
    fn reply(&self, made: Made) -> sparring_contract::protocol::Pictures {
        let [before, after, original] = *self.maker.degradation().parts();
        let mut parts = vec![before.to_owned()];
        let number = |index: usize| match index {
            0 => after.to_owned(),
            index => format!("{after} {}", index + 1),
        };
        parts.extend((0..made.answers.len()).map(number));
        parts.extend(made.original.iter().map(|_| original.to_owned()));
        let all: Vec<_> = [made.before]
            .into_iter()
            .chain(made.answers)
            .chain(made.original)
            .collect();
        let together = Tensor::stack(&all, 1).flatten(0, 1);
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        pictures(
            Purpose::Fresh,
            self.translation.seed,
            self.step,
            &together,
            Vec::new(),
            &parts,
        )
    }
}

/// The mask of a file, `[1, 1, h, w]`.
fn mask(translation: &Translation, shape: [i64; 3]) -> anyhow::Result<Option<Tensor>> {
    let [_, height, width] = shape;
    let Some(MaskChoice::File(path)) = &translation.mask else {
        return Ok(None);
    };
    let images = NamedImages::load(path, side_of(shape))?.images;
    let unusable = |why: String| format!("cannot use the mask {}: {why}", path.display());
    let found = [images.height, images.width].map(|side| side as i64);
    if found != [height, width] || images.count != 1 {
        bail!(unusable(format!(
            "it is {}x{}, and the run repairs pictures of {height}x{width}",
            found[0], found[1]
        )));
    }
    let mask = luma(&from_bytes(&images.tensor()))
        .greater(0.0)
        .to_kind(Kind::Float);
    let white = mask.mean(Kind::Float).double_value(&[]);
    if white == 0.0 {
        bail!(unusable(
            "nothing in it is white, so nothing is missing".to_owned()
        ));
    }
    if white == 1.0 {
        bail!(unusable(
            "all of it is white, so nothing is known: leave some of it black".to_owned()
        ));
    }
    Ok(Some(mask))
}

/// The side of pictures `[channels, height, width]` that are square.
fn side_of([_, height, width]: [i64; 3]) -> Option<u32> {
    u32::try_from(height).ok().filter(|_| height == width)
}

/// Pictures in [-1, 1] as u8 on the CPU.
fn bytes(pictures: &Tensor) -> Tensor {
    to_bytes(pictures).to_device(Device::Cpu)
}
