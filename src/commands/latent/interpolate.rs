//! `sparring interpolate`

use anyhow::bail;
use sparring_contract::exit;
use sparring_contract::output::tell;
use sparring_contract::protocol::{LatentNoise, LatentPoint, LatentRequest};
use sparring_contract::run::Home;

use super::point::point;
use super::subject::{Subject, Target};
use crate::cli::Interpolate;
use crate::commands::flags;
use crate::commands::source::any_seed;
use crate::sample;

/// Pictures from each stop to the next, where they are seen beside each other and where one after the other.
const STRIP: u32 = 8;
const ANIMATION: u32 = 24;

pub fn interpolate(home: &Home, flags: &Interpolate) -> anyhow::Result<u8> {
    let target = Target::of(flags.out.as_deref(), flags.force)?;
    let subject = Subject::of(home, &flags.model)?;
    let seed = flags.seed.unwrap_or_else(any_seed);
    let stops = stops(&subject, flags, seed)?;
    let cyclic = target
        .as_ref()
        .is_some_and(|target| target.format.is_animation());
    let legs = u32::try_from(stops.len())? - u32::from(!cyclic);
    let frames = flags
        .frames
        .unwrap_or(legs * if cyclic { ANIMATION } else { STRIP });
    if (frames as usize) < stops.len() {
        bail!(
            "--frames {frames} is less than the {} stops; give more frames",
            stops.len()
        );
    }
    let destination = target
        .map(|target| target.destination(frames.into(), subject.shape()))
        .transpose()?;
    let request = LatentRequest::Interpolate {
        stops,
        frames,
        cyclic,
    };
    let pictures = subject.worker()?.pictures(&request)?;
    match destination {
        None => sample::show_drawn(flags::look(&flags.drawing), &pictures, &[])?,
        Some(destination) => {
            let columns = flags.drawing.columns.or(u16::try_from(frames).ok());
            sample::save_drawn(&pictures, &destination, columns)?;
        }
    }
    if flags.seed.is_none() && flags.seeds.is_empty() && flags.from.is_empty() {
        tell(&format!("{}, seed {seed}", subject.checkpoint.display()));
    }
    Ok(exit::SUCCESS)
}

fn stops(subject: &Subject, flags: &Interpolate, seed: u64) -> anyhow::Result<Vec<LatentPoint>> {
    let classes: Vec<_> = flags
        .classes
        .iter()
        .map(|name| subject.class(name))
        .collect::<anyhow::Result<_>>()?;
    let of = |seed, class| LatentPoint {
        noise: LatentNoise::Seed(seed),
        class,
    };
    let stops: Vec<_> = match (flags.seeds.as_slice(), classes.as_slice()) {
        ([], []) => flags
            .from
            .iter()
            .map(|name| point(subject.run.as_ref(), name))
            .collect::<anyhow::Result<_>>()?,
        ([], classes) => classes.iter().map(|class| of(seed, Some(*class))).collect(),
        (seeds, []) => {
            let class = flags.class.as_deref();
            let class = class.map(|name| subject.class(name)).transpose()?;
            seeds.iter().map(|seed| of(*seed, class)).collect()
        }
        (seeds, classes) if seeds.len() == classes.len() => {
            let pairs = seeds.iter().zip(classes);
            pairs.map(|(seed, class)| of(*seed, Some(*class))).collect()
        }
        (seeds, classes) => bail!(
            "{} seeds and {} classes: give as many of both, or one kind alone",
            seeds.len(),
            classes.len()
        ),
    };
    if stops.len() < 2 {
        bail!("an interpolation needs two stops or more, such as --seeds 3,8 or --classes 3,8");
    }
    Ok(stops)
}
