//! `sparring sample`

use std::path::Path;

use anyhow::{Context as _, bail};
use sparring_contract::exit;
use sparring_contract::launch::Launch;
use sparring_contract::output::{say, tell};
use sparring_contract::protocol::Command;
use sparring_contract::run::{CheckpointHeader, Home, Run};

use super::flags;
use super::source::{any_seed, checkpoint_and_run};
use crate::cli::{DatasetFormat, Sample};
use crate::client::{ask, find_live, worker};
use crate::sample::{self, Destination, Draw, FileFormat, Interrupted, Look, classes, dataset};

/// Where pictures go.
enum Target<'a> {
    Scrollback,
    File(&'a Path, FileFormat),
    Dataset(&'a Path, dataset::Format),
}

pub(super) fn sample(home: &Home, flags: &Sample) -> anyhow::Result<u8> {
    if flags.live {
        return sample_live(home, flags);
    }
    let target = target(flags)?;
    let draw = draw(home, flags)?;
    let worker = worker(&Launch::Task)?;
    let any_seed = flags.seed.is_none();
    let done = match target {
        Target::Scrollback => sample::show(&draw, look(flags), worker),
        Target::File(path, format) => {
            let existing = flags::existing(flags.force);
            let file = Destination::new(path, format, existing, draw.count, draw.shape())?;
            sample::save(&draw, &file, flags.drawing.columns, worker)
        }
        Target::Dataset(path, format) => {
            sample::save_dataset(&draw, path, format, any_seed, worker)
        }
    };
    if let Err(error) = done {
        let Some(Interrupted { signal, .. }) = error.downcast_ref() else {
            return Err(error);
        };
        tell(&format!("{error:#}"));
        return Ok(u8::try_from(128 + signal).unwrap_or(exit::FAILURE));
    }
    if any_seed && !matches!(target, Target::Dataset(..)) {
        // So that pictures worth keeping can be drawn again, larger or into a file. A data set has it in its manifest.
        tell(&format!(
            "{}, seed {}",
            draw.checkpoint.display(),
            draw.seed
        ));
    }
    Ok(exit::SUCCESS)
}

/// `sparring sample --live`: the worker of a run draws, and saves the pictures as well.
fn sample_live(home: &Home, flags: &Sample) -> anyhow::Result<u8> {
    let run = find_live(home, flags.source.as_deref())?;
    let (count, seed) = (flags.count, flags.seed);
    let command = match &flags.class {
        None => Command::Sample { count, seed },
        Some(name) => Command::SampleClass {
            class: classes::find(&class_names(&run)?, name)?,
            count,
            seed,
        },
    };
    let answer = ask(&run, command)?;
    if let Some(pictures) = &answer.pictures {
        sample::show_drawn(look(flags), pictures, &class_names(&run)?)?;
    }
    if let Some(omitted) = &answer.omitted {
        tell(&format!("warning: {omitted}"));
    }
    let words = format!("sampled at step {}", answer.step);
    say(&match answer.detail {
        Some(file) => format!("{words}: {file}"),
        None => words,
    })?;
    Ok(exit::SUCCESS)
}

/// The classes that the generator of a live run is told, as its worker announced them.
fn class_names(run: &Run) -> anyhow::Result<Vec<String>> {
    if !run.config()?.conditional {
        return Ok(Vec::new());
    }
    let started = run.status().timeline.started.with_context(|| {
        format!(
            "run {} is still loading its data, and its classes are not known yet: try again",
            run.name()
        )
    })?;
    Ok(started.class_names)
}

/// The file or folder that `--out` and `--format` mean. A folder is a data set, by default of PNG files.
fn target(flags: &Sample) -> anyhow::Result<Target<'_>> {
    let Some(path) = flags.out.as_deref() else {
        return Ok(Target::Scrollback);
    };
    let format = flags.format.map(|format| match format {
        DatasetFormat::Idx => dataset::Format::Idx,
        DatasetFormat::Png => dataset::Format::Png,
        DatasetFormat::Npz => dataset::Format::Npz,
    });
    Ok(match (FileFormat::of(path), format) {
        (Ok(Some(file)), None) => Target::File(path, file),
        (Ok(Some(_)), Some(_)) => bail!(
            "{} names a file, and --format is for the folder of a data set; name a folder, or leave --format out",
            path.display()
        ),
        (Ok(None), format) => Target::Dataset(path, format.unwrap_or(dataset::Format::Png)),
        // An ending that no file has is as good a name for a folder as any.
        (Err(_), Some(format)) => Target::Dataset(path, format),
        (Err(error), None) => return Err(error),
    })
}

fn draw(home: &Home, flags: &Sample) -> anyhow::Result<Draw> {
    let (checkpoint, run) = checkpoint_and_run(home, flags.source.as_deref(), flags.best)?;
    let header = CheckpointHeader::read(&checkpoint)?;
    if flags.balanced && header.num_classes() == 0 {
        bail!(
            "this model is unconditional: drop --balanced, or train a conditional preset such as cgan"
        );
    }
    let class = match &flags.class {
        None => None,
        Some(name) => Some(classes::find(header.conditional_classes(), name)?),
    };
    Ok(Draw {
        checkpoint,
        run: run.map(|run| run.name().to_owned()),
        header,
        count: flags.count,
        seed: flags.seed.unwrap_or_else(any_seed),
        class,
        truncation: flags::truncation(flags.truncation),
        device: flags.device.clone(),
    })
}

fn look(flags: &Sample) -> Look {
    Look {
        no_labels: flags.no_labels,
        ..flags::look(&flags.drawing)
    }
}
