//! `sparring repair`, `sparring enlarge` and `sparring translate`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sparring_contract::config::TaskKind;
use sparring_contract::exit;
use sparring_contract::launch::Launch;
use sparring_contract::output::tell;
use sparring_contract::protocol::{MaskChoice, Translation};
use sparring_contract::run::Home;

use super::flags;
use super::source::{any_seed, checkpoint};
use crate::cli::{FromPart, FromPictures, Repair};
use crate::client::worker;
use crate::sample::{self, AnswerTarget, FileFormat, Interrupted};

pub(super) fn repair(home: &Home, flags: &Repair) -> anyhow::Result<u8> {
    let mask = flags.mask.as_deref().map(mask).transpose()?;
    answer(home, &flags.common, TaskKind::Repair, mask, true)
}

pub(super) fn enlarge(home: &Home, flags: &FromPart) -> anyhow::Result<u8> {
    answer(
        home,
        &flags.common,
        TaskKind::Enlarge,
        None,
        flags.from_whole,
    )
}

pub(super) fn translate(home: &Home, flags: &FromPart) -> anyhow::Result<u8> {
    answer(
        home,
        &flags.common,
        TaskKind::Translate,
        None,
        flags.from_whole,
    )
}

/// A mask by its name, or a picture.
fn mask(text: &str) -> anyhow::Result<MaskChoice> {
    if let Some(named) = flags::named_mask(text) {
        return Ok(MaskChoice::Named(named));
    }
    let file = fs::canonicalize(text).with_context(|| {
        format!("--mask {text} is neither centre, half, strokes, random or mixed, nor a picture")
    })?;
    Ok(MaskChoice::File(file))
}

fn answer(
    home: &Home,
    flags: &FromPictures,
    task: TaskKind,
    mask: Option<MaskChoice>,
    from_whole: bool,
) -> anyhow::Result<u8> {
    let whole = |path: &Path| {
        fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
    };
    let seed = flags.seed.unwrap_or_else(any_seed);
    let translation = Translation {
        checkpoint: checkpoint(home, Some(&flags.source), flags.best)?,
        learnt: task,
        inputs: flags
            .inputs
            .iter()
            .map(|input| whole(input))
            .collect::<Result<Vec<PathBuf>, _>>()?,
        mask,
        from_whole,
        answers: flags.answers,
        seed,
        device: flags.device.clone(),
    };
    let existing = flags::existing(flags.force);
    let target = match &flags.out {
        None => AnswerTarget::Scrollback(flags::look(&flags.drawing)),
        Some(path) => match FileFormat::of(path)? {
            Some(format) => AnswerTarget::File {
                path,
                format,
                existing,
                columns: flags.drawing.columns,
            },
            None if path.exists() && !path.is_dir() => {
                bail!("{} is no folder; give another name", path.display())
            }
            None => AnswerTarget::Folder { path, existing },
        },
    };
    match sample::answer(&translation, &target, worker(&Launch::Task)?) {
        Ok(()) => {}
        Err(error) => {
            let Some(Interrupted { signal, .. }) = error.downcast_ref() else {
                return Err(error);
            };
            tell(&format!("{error:#}"));
            return Ok(u8::try_from(128 + signal).unwrap_or(exit::FAILURE));
        }
    }
    Ok(exit::SUCCESS)
}
