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
use crate::cli::{FromPart, FromPictures, Repair, Translate};
use crate::client::worker;
use crate::sample::{self, AnswerTarget, FileFormat, Interrupted};

pub(super) fn repair(home: &Home, flags: &Repair) -> anyhow::Result<u8> {
    let asked = Asked {
        mask: flags.mask.as_deref().map(mask).transpose()?,
        from_whole: true,
        to: None,
    };
    answer(home, &flags.common, TaskKind::Repair, asked)
}

pub(super) fn enlarge(home: &Home, flags: &FromPart) -> anyhow::Result<u8> {
    let asked = Asked {
        from_whole: flags.from_whole,
        ..Asked::default()
    };
    answer(home, &flags.common, TaskKind::Enlarge, asked)
}

pub(super) fn translate(home: &Home, flags: &Translate) -> anyhow::Result<u8> {
    let asked = Asked {
        from_whole: flags.part.from_whole,
        to: flags.to.clone(),
        ..Asked::default()
    };
    answer(home, &flags.part.common, TaskKind::Translate, asked)
}

/// What only some of the commands ask for: see [`Translation`].
#[derive(Default)]
struct Asked {
    mask: Option<MaskChoice>,
    from_whole: bool,
    to: Option<String>,
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

fn answer(home: &Home, flags: &FromPictures, task: TaskKind, asked: Asked) -> anyhow::Result<u8> {
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
        mask: asked.mask,
        from_whole: asked.from_whole,
        to: asked.to,
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
