//! The evaluation of a run that makes pictures from pictures.

use std::path::Path;

use sparring_contract::config::{Config, Mask, TaskKind};
use sparring_contract::protocol::{Fidelity, FidelityReport, MethodFigures};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Tensor};

use super::maker::Maker;
use crate::data::{DataBundle, Dataset, Degradation};
use crate::eval::{Evaluator, PICTURES, PlainMethod, RealData, Restoration, judges};

/// Held-out pictures that are repaired by searching the latent space, which takes a tenth of a second for each.
const SEARCHED: i64 = 1000;

/// Evaluates a checkpoint on up to 10,000 held-out pictures, or 1,000 if each needs a search, beside plain methods. The seed
/// is that of masks and noise.
pub(super) fn evaluate(
    path: &Path,
    header: &CheckpointHeader,
    (seed, device): (u64, &str),
    mask: Option<Mask>,
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<FidelityReport> {
    let config = &header.config;
    let maker = Maker::load(path, header, device, mask)?;
    let degradation = maker.degradation();
    progress("reading the real pictures");
    let bundle = DataBundle::load(&config.data_source(), &mut |_| {})?;
    let data = Dataset::of(Device::Cpu, &bundle);
    let noun = if bundle.is_mnist() {
        "digits"
    } else {
        "pictures"
    };
    let held_out = bundle.test.as_ref().unwrap_or(&bundle.train);
    let labels = held_out.labels_tensor();
    let is_held_out = bundle.test.is_some();
    let judge = judges::find(&bundle.fingerprint)?;
    let evaluator = Evaluator::new(RealData::of(bundle)?, judge, progress)?;

    progress("making pictures");
    let count = if maker.is_searching() {
        SEARCHED
    } else {
        PICTURES
    };
    let restoration = Restoration::new(degradation, &data, count, seed.cast_signed());
    tch::manual_seed(seed.cast_signed());
    let made = maker.make(restoration.conditions());
    let count = made.size()[0];
    let labels = labels.map(|labels| labels.narrow(0, 0, count));
    let figures = |pictures: &Tensor| Fidelity {
        label_kept: labels
            .as_ref()
            .and_then(|labels| evaluator.accuracy(pictures, labels)),
        frechet: evaluator.times_floor(pictures),
        ..restoration.fidelity(pictures)
    };
    let method = |name: &str, words: &str, pictures: &Tensor| MethodFigures {
        name: name.to_owned(),
        words: words.to_owned(),
        figures: figures(pictures),
    };
    progress("comparing the pictures");
    let mut methods = vec![method("run", "this run", &made)];
    for plain in PlainMethod::of(degradation) {
        progress(&format!("making pictures: {}", plain.words()));
        methods.push(method(
            plain.name(),
            plain.words(),
            &restoration.plain(plain),
        ));
    }
    methods.push(method("original", "the originals", restoration.truth()));
    let diversity = maker.has_noise().then(|| {
        let again = maker.make(restoration.conditions());
        restoration.difference(&made, &again) / restoration.difference(&made, restoration.truth())
    });
    let left_out = evaluator.has_no_judge().then(|| {
        "the label kept needs labels and a judge: `sparring judge train` makes one".to_owned()
    });
    Ok(FidelityReport {
        task: words(config, degradation),
        pictures: count.unsigned_abs(),
        against: if is_held_out {
            format!("{count} test {noun}")
        } else {
            format!("{count} {noun} that it learnt from: none are held out")
        },
        missing_only: matches!(degradation, Degradation::Holes(_)),
        methods,
        diversity,
        left_out,
    })
}

/// A task in words.
fn words(config: &Config, degradation: Degradation) -> String {
    let how = match degradation {
        Degradation::Holes(mask) => match mask {
            Mask::Centre => "the centre",
            Mask::Half => "the lower half",
            Mask::Strokes => "strokes",
            Mask::Random => "rectangles",
            Mask::Mixed => "mixed masks",
        }
        .to_owned(),
        Degradation::Reduced(factor) => format!("{factor} times"),
        Degradation::Edges => "from edges".to_owned(),
        Degradation::Thin => "from thinner strokes".to_owned(),
        Degradation::Thick => "from thicker strokes".to_owned(),
        Degradation::Grey => "from grey".to_owned(),
        Degradation::Partner => "from partners".to_owned(),
        Degradation::Unpaired => "without pairs".to_owned(),
    };
    match config.task {
        TaskKind::Generate => format!("repair, {how}, by searching the latent space"),
        task => format!("{}, {how}", task.name()),
    }
}
