//! Fresh pictures of a run that nobody trains, drawn by a worker of their own.

use std::hash::{BuildHasher as _, RandomState};

use anyhow::Context as _;
use sparring_contract::launch::Launch;
use sparring_contract::protocol::{Pictures, Purpose, Truncation};
use sparring_contract::run::Run;

use crate::client::worker;
use crate::sample::{self, Draw};

/// As many as the sample command of a dashboard asks a run in training for.
const PICTURES: u64 = 16;

/// Draws pictures from new noise with the newest checkpoint of a run. Takes a moment: a worker loads libtorch.
pub(super) fn draw(run: &Run) -> anyhow::Result<Pictures> {
    let (checkpoint, header) = run
        .newest_intact_checkpoint()
        .0
        .context("the run has no checkpoint to draw from")?;
    let draw = Draw {
        checkpoint: std::path::absolute(&checkpoint.path).unwrap_or(checkpoint.path),
        run: Some(run.name().to_owned()),
        header,
        count: PICTURES,
        seed: RandomState::new().hash_one(std::process::id()) % 1_000_000,
        class: None,
        truncation: Truncation::Off,
        device: "auto".to_owned(),
    };
    let pictures = sample::drawn(&draw, worker(&Launch::Task)?)?;
    Ok(Pictures {
        purpose: Purpose::Fresh,
        ..pictures
    })
}
