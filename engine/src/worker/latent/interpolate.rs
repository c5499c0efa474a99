//! Pictures on the way from one place to another.

use std::io::Write;

use anyhow::bail;
use sparring_contract::protocol::{LatentPoint, TaskReply, write_frame};
use tch::Kind;

use super::model::Model;
use crate::latent::{Stop, path};

/// Pictures of one reply, and of one way.
const REPLY: i64 = 64;
const MOST: u32 = 10_000;

/// Points that are drawn at once, at most.
const MOST_POINTS: usize = 256;

/// Draws some points.
pub(super) fn draw(
    model: &Model,
    out: &mut impl Write,
    points: &[LatentPoint],
) -> anyhow::Result<()> {
    if points.is_empty() || points.len() > MOST_POINTS {
        bail!("{} points: give 1 to {MOST_POINTS}", points.len());
    }
    for point in points {
        let (noise, class) = model.place(point)?;
        let made = model.space.pixels(&noise, class.as_ref());
        write_frame(out, &TaskReply::Pictures(model.message(&made, &[])))?;
    }
    Ok(())
}

pub(super) fn interpolate(
    model: &Model,
    out: &mut impl Write,
    stops: &[LatentPoint],
    frames: u32,
    cyclic: bool,
) -> anyhow::Result<()> {
    if stops.len() < 2 || (frames as usize) < stops.len() || frames > MOST {
        bail!("an interpolation needs two stops or more, and as many pictures, up to {MOST}");
    }
    let classes = model.space.num_classes();
    let stops: Vec<_> = stops
        .iter()
        .map(|point| {
            let (noise, class) = model.place(point)?;
            Ok(Stop {
                noise: noise.squeeze_dim(0),
                classes: class
                    .map(|class| class.one_hot(classes).to_kind(Kind::Float).squeeze_dim(0)),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let (noise, weights) = path(&stops, frames, cyclic);
    let made = model.space.pixels(&noise, weights.as_ref());
    for part in made.split(REPLY, 0) {
        write_frame(out, &TaskReply::Pictures(model.message(&part, &[])))?;
    }
    Ok(())
}
