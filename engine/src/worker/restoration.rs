//! The evaluation of a run that makes pictures from pictures.

use std::path::Path;

use anyhow::Context as _;
use sparring_contract::config::{Config, Mask, TaskKind, TranslateFrom};
use sparring_contract::protocol::{Fidelity, FidelityReport, MethodFigures};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Tensor};

use super::translator::translator;
use crate::data::{DataBundle, Dataset, Degradation};
use crate::eval::{Evaluator, PICTURES, PlainMethod, RealData, Restoration, judges};

/// Evaluates a checkpoint on up to 10,000 held-out pictures, beside plain methods. The seed is that of masks and noise.
pub(super) fn evaluate(
    path: &Path,
    header: &CheckpointHeader,
    (seed, device): (u64, &str),
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<FidelityReport> {
    let config = &header.config;
    progress("reading the real pictures");
    let bundle = DataBundle::load(&config.data_source(), &mut |_| {})?;
    let degradation = Degradation::new(config).context("the run makes pictures from noise")?;
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
    let translator = translator(path, header, device)?;
    let restoration = Restoration::new(degradation, &data, PICTURES, seed.cast_signed());
    tch::manual_seed(seed.cast_signed());
    let made = translator.translate(restoration.conditions());
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
    let diversity = translator.has_noise().then(|| {
        let again = translator.translate(restoration.conditions());
        restoration.difference(&made, &again) / restoration.difference(&made, restoration.truth())
    });
    let left_out = evaluator.has_no_judge().then(|| {
        "the label kept needs labels and a judge: `sparring judge train` makes one".to_owned()
    });
    Ok(FidelityReport {
        task: words(config),
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
fn words(config: &Config) -> String {
    let how = match config.task {
        TaskKind::Generate => return "generate".to_owned(),
        TaskKind::Repair => match config.repair.mask {
            Mask::Centre => "the centre",
            Mask::Half => "the lower half",
            Mask::Strokes => "strokes",
            Mask::Random => "rectangles",
            Mask::Mixed => "mixed masks",
        }
        .to_owned(),
        TaskKind::Enlarge => format!("{} times", config.enlarge.factor),
        TaskKind::Translate => match config.translate.from {
            TranslateFrom::Edges => "from edges",
            TranslateFrom::Thin => "from thinner strokes",
            TranslateFrom::Thick => "from thicker strokes",
            TranslateFrom::Grey => "from grey",
            TranslateFrom::Pairs => "from partners",
        }
        .to_owned(),
    };
    format!("{}, {how}", config.task.name())
}
