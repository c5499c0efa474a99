//! The tasks of evaluating pictures and of training a judge.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::judges::JudgeFolder;
use sparring_contract::protocol::{
    FrameError, Report, Subject, TaskReply, Truncation, write_frame,
};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Tensor};

use super::draw::{Draw, draw};
use super::{restoration, unpaired};
use crate::data::{DataSource, Degradation, Images, typical_classes};
use crate::eval::{EvalError, Evaluator, Judge, JudgeError, PICTURES, RealData, judges};
use crate::gan::Classes;

/// Evaluates a subject, and tells meanwhile what is being done.
pub(super) fn eval(
    out: &mut impl Write,
    subject: &Subject,
    augmentation: bool,
) -> anyhow::Result<()> {
    let mut wire = Ok(());
    let mut progress = |words: &str| {
        let reply = TaskReply::Progress {
            doing: words.to_owned(),
        };
        // Whether anybody still listens is asked once, with the report.
        wire = send(out, &reply);
    };
    let reply = match subject {
        Subject::Checkpoint {
            path,
            seed,
            truncation,
            repair,
            device,
        } => {
            let header = CheckpointHeader::read_intact(path)?;
            let learnt = header.config.task;
            if learnt.is_image_to_image() && (repair.is_some() || *truncation != Truncation::Off) {
                bail!(
                    "{} has learnt to {}: --mask, --truncation and --tails are for runs that make pictures from noise",
                    path.display(),
                    learnt.name()
                );
            }
            let how = (*seed, device.as_str());
            if Degradation::new(&header.config).is_some_and(|degradation| !degradation.has_truth())
            {
                let report = unpaired::evaluate(path, &header, how, &mut progress)?;
                TaskReply::Unpaired(Box::new(report))
            } else if learnt.is_image_to_image() || repair.is_some() {
                let report = restoration::evaluate(path, &header, how, *repair, &mut progress)?;
                TaskReply::Fidelity(Box::new(report))
            } else {
                let how = (*seed, *truncation, device.as_str());
                let drawn = drawn_of(path, &header, how, &mut progress)?;
                TaskReply::Report(Box::new(evaluate(drawn, augmentation, &mut progress)?))
            }
        }
        Subject::Samples { path, data } => {
            let drawn = Drawn {
                pictures: Images::load_samples(path)?.tensor(),
                asked: None,
                real: real_pictures(&DataSource::named(data), &mut progress)?,
            };
            TaskReply::Report(Box::new(evaluate(drawn, augmentation, &mut progress)?))
        }
    };
    wire?;
    send(out, &reply)?;
    Ok(())
}

/// Trains a judge of a data set and stores it, and tells meanwhile how far it is.
pub(super) fn train_judge(
    out: &mut impl Write,
    source: &DataSource,
    seed: u64,
) -> anyhow::Result<()> {
    let folder = JudgeFolder::of_user().ok_or(JudgeError::NoHome)?;
    let mut wire = Ok(());
    let mut progress = |words: &str, done: u64, total: u64| {
        let reply = TaskReply::Counted {
            doing: words.to_owned(),
            done,
            total,
        };
        wire = send(out, &reply);
    };
    let real = RealData::load(source, &mut |loading| {
        progress(loading.doing, loading.done as u64, loading.total as u64);
    })?;
    let judge = Judge::train(&real, seed, &mut progress)?;
    wire?;
    let path = judges::store(&folder, &judge)?;
    let record = Box::new(judge.record().clone());
    send(out, &TaskReply::Judge { path, record })?;
    Ok(())
}

fn send(out: &mut impl Write, reply: &TaskReply) -> Result<(), FrameError> {
    write_frame(out, reply)?;
    Ok(out.flush()?)
}

fn real_pictures(data: &DataSource, progress: &mut dyn FnMut(&str)) -> Result<RealData, EvalError> {
    progress("reading the real pictures");
    RealData::load(data, &mut |_| {})
}

/// Pictures to evaluate.
struct Drawn {
    /// `[n, channels, h, w]`, u8.
    pictures: Tensor,
    /// The class asked of each, `[n]`, i64, if that is known.
    asked: Option<Tensor>,
    /// What they are compared with.
    real: RealData,
}

/// Pictures that a checkpoint's generator draws from noise.
fn drawn_of(
    path: &Path,
    header: &CheckpointHeader,
    (seed, truncation, device): (u64, Truncation, &str),
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<Drawn> {
    let real = real_pictures(&header.config.data_source(), progress)?;
    progress("drawing pictures");
    // Pictures of all classes equally would differ from data that has more of some.
    let num_classes = header.num_classes();
    let asked = real
        .labels()
        .filter(|_| 0 < num_classes && real.num_classes() <= num_classes.cast_signed())
        .map(|[labels, _]| typical_classes(labels, PICTURES));
    let how = Draw {
        count: PICTURES.unsigned_abs(),
        first: 0,
        seed,
        classes: asked.as_ref().map_or(Classes::InTurn, |asked| {
            Classes::Listed(asked.shallow_clone())
        }),
        truncation,
        device: device.to_owned(),
    };
    let drawn: Vec<_> = draw(path, header, how)?
        .map(|batch| batch.pictures.to_device(Device::Cpu))
        .collect();
    Ok(Drawn {
        pictures: Tensor::cat(&drawn, 0),
        asked,
        real,
    })
}

fn evaluate(
    drawn: Drawn,
    augmentation: bool,
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<Report> {
    let Drawn {
        pictures,
        asked,
        real,
    } = drawn;
    let judge = judges::find(&real.fingerprint)?;
    let evaluator = Evaluator::new(real, judge, progress)?;
    let mut report = evaluator.measure(&pictures, asked.as_ref(), progress)?;
    if augmentation {
        let asked = asked
            .context("the gain from augmentation needs a model that is told which class to draw")?;
        report.augmentation = evaluator.augmentation(&pictures, &asked, progress)?;
    }
    Ok(report)
}
