//! `sparring sample`

use std::path::{Path, PathBuf};

use sparring_contract::exit;
use sparring_contract::launch::Launch;
use sparring_contract::protocol::Command;
use sparring_contract::run::{Home, RunError};

use super::{color, render, scale};
use crate::cli::Sample;
use crate::client::{ask, find_live, worker};
use crate::output::say;
use crate::sample::{self, Interrupted, Options};

pub(super) fn sample(home: &Home, flags: &Sample) -> anyhow::Result<u8> {
    if flags.live {
        return sample_live(home, flags);
    }
    let checkpoint = checkpoint(home, flags.source.as_deref(), flags.best)?;
    let options = options(flags, checkpoint);
    match sample::run(&options, worker(&Launch::Task)?) {
        Ok(()) => {}
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(Interrupted { signal }) => {
                eprintln!("{error:#}");
                return Ok(u8::try_from(128 + signal).unwrap_or(exit::FAILURE));
            }
            None => return Err(error),
        },
    }
    if flags.seed.is_none() {
        // So that pictures that please can be had again, larger or in a file.
        eprintln!("{}, seed {}", options.checkpoint.display(), options.seed);
    }
    Ok(exit::SUCCESS)
}

/// `sparring sample --live`: the worker of a run draws, and saves them as well.
fn sample_live(home: &Home, flags: &Sample) -> anyhow::Result<u8> {
    let run = find_live(home, flags.source.as_deref())?;
    let command = Command::Sample {
        count: flags.count,
        seed: flags.seed,
    };
    let answer = ask(&run, command)?;
    if let Some(pictures) = &answer.pictures {
        sample::show_drawn(&options(flags, PathBuf::new()), pictures)?;
    }
    let words = format!("sampled at step {}", answer.step);
    say(&match answer.detail {
        Some(file) => format!("{words}: {file}"),
        None => words,
    })?;
    Ok(exit::SUCCESS)
}

fn options(flags: &Sample, checkpoint: PathBuf) -> Options {
    Options {
        checkpoint,
        count: flags.count,
        seed: flags.seed.unwrap_or_else(any_seed),
        class: flags.class,
        device: flags.device.clone(),
        columns: flags.columns,
        out: flags.out.clone(),
        color: color(flags.color),
        render: render(flags.render),
        scale: flags.scale.map(scale),
    }
}

/// The checkpoint that is meant: a file, or the newest one of a run that is whole, or its best.
pub(super) fn checkpoint(
    home: &Home,
    source: Option<&str>,
    best: bool,
) -> Result<PathBuf, RunError> {
    if best {
        return Ok(home.find(source)?.best_checkpoint()?.0);
    }
    if let Some(file) = source.map(Path::new).filter(|path| path.is_file()) {
        return Ok(file.to_owned());
    }
    let run = home.find(source)?;
    match run.newest_whole_checkpoint() {
        (Some((checkpoint, _)), _) => Ok(checkpoint.path),
        (None, mut broken) => Err(broken.pop().unwrap_or(RunError::NoCheckpoint {
            name: run.name().to_owned(),
        })),
    }
}

/// Another seed every time, short enough to type.
pub(super) fn any_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}
