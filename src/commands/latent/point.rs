//! Points of a latent space that have a name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sparring_contract::protocol::{Event, KeptPoint, LatentNoise, LatentPoint};
use sparring_contract::run::{Run, read_records};

/// What a JSON file must have to be a point: a line of `sparring project --json`.
#[derive(Deserialize)]
struct Stored {
    z: Vec<f32>,
    #[serde(default)]
    class: Option<u64>,
}

/// The most bytes of a file that is read as a point.
const LARGEST: u64 = 1 << 20;

/// The point of a run that was kept under a name.
fn kept(run: &Run, name: &str) -> Option<KeptPoint> {
    let records = read_records(&run.events_file()).into_iter().rev();
    let mut points = records.filter_map(|record| match record.event {
        Event::Kept(point) => Some(*point),
        _ => None,
    });
    points.find(|point| point.name == name)
}

/// A point by its name in a run, or by the name of its file.
pub(super) fn point(run: Option<&Run>, name: &str) -> anyhow::Result<LatentPoint> {
    if let Some(point) = run.and_then(|run| kept(run, name)) {
        return Ok(LatentPoint {
            noise: LatentNoise::Vector(point.z),
            class: point.place.class,
        });
    }
    let path = Path::new(name);
    let size = fs::metadata(path)
        .with_context(|| format!("there is no point {name}, neither kept in the run nor a file"))?
        .len();
    let unusable =
        || format!("{name} is no point: give a file with a line of `sparring project --json`");
    if size > LARGEST {
        bail!(unusable());
    }
    let text = fs::read_to_string(path).with_context(unusable)?;
    let line = text.lines().next().unwrap_or_default();
    let Stored { z, class } = serde_json::from_str(line).with_context(unusable)?;
    Ok(LatentPoint {
        noise: LatentNoise::Vector(z),
        class,
    })
}
