//! `sparring sample --point`

use sparring_contract::exit;
use sparring_contract::protocol::LatentRequest;
use sparring_contract::run::Home;

use super::point::point;
use super::subject::{Subject, Target};
use crate::cli::Sample;
use crate::commands::flags;
use crate::sample;

pub fn sample_points(home: &Home, flags: &Sample) -> anyhow::Result<u8> {
    let target = Target::of(flags.out.as_deref(), flags.force)?;
    let subject = Subject::find(home, flags.source.as_deref(), flags.best, &flags.device)?;
    let points: Vec<_> = flags
        .point
        .iter()
        .map(|name| point(subject.run.as_ref(), name))
        .collect::<anyhow::Result<_>>()?;
    let destination = target
        .map(|target| target.destination(points.len() as u64, subject.shape()))
        .transpose()?;
    let pictures = subject
        .worker()?
        .pictures(&LatentRequest::Draw { points })?;
    match destination {
        None => sample::show_drawn(flags::look(&flags.drawing), &pictures, &[])?,
        Some(destination) => sample::save_drawn(&pictures, &destination, flags.drawing.columns)?,
    }
    Ok(exit::SUCCESS)
}
