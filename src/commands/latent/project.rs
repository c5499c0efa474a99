//! `sparring project`

use std::fs;

use anyhow::{Context as _, bail};
use sparring_contract::exit;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{Closeness, LatentRequest, Projected, TaskReply};
use sparring_contract::run::Home;
use sparring_contract::text::printable;

use super::subject::{Subject, Target, stacked, strip};
use crate::cli::Project;
use crate::sample;

/// Pictures of a strip.
const STRIP: u16 = 6;

pub fn project(home: &Home, flags: &Project) -> anyhow::Result<u8> {
    let target = Target::of(flags.out.as_deref(), flags.force)?;
    let subject = Subject::find(home, Some(&flags.source), flags.best, &flags.device)?;
    let class = flags.class.as_deref();
    let request = LatentRequest::Project {
        inputs: flags
            .inputs
            .iter()
            .map(|path| {
                fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
            })
            .collect::<anyhow::Result<_>>()?,
        class: class.map(|name| subject.class(name)).transpose()?,
        seed: flags.seed,
    };
    let destination = target
        .map(|target| target.destination(STRIP.into(), subject.shape()))
        .transpose()?;
    let mut all = Means::default();
    let mut strips = Vec::new();
    subject.worker()?.ask(&request, |reply| {
        let TaskReply::Projected(projected) = reply else {
            bail!("the worker's answer makes no sense: no noise");
        };
        all.add(&projected);
        if flags.json {
            let mut value = serde_json::to_value(&projected)?;
            if let Some(fields) = value.as_object_mut() {
                fields.remove("pictures");
            }
            say_json(&value.to_string())?;
            return Ok(());
        }
        if all.count == 1 && destination.is_none() {
            say(&projected.pictures.parts.join(", "))?;
        }
        say(&described(&projected, subject.header.conditional_classes()))?;
        if destination.is_some() {
            strips.push(projected.pictures);
        } else {
            let look = strip(&flags.drawing, &projected.pictures);
            sample::show_drawn(look, &projected.pictures, &[])?;
        }
        Ok(())
    })?;
    if all.count > 1 && !flags.json {
        say(&all.described())?;
    }
    if let Some(destination) = destination {
        let columns = flags.drawing.columns.unwrap_or(STRIP);
        sample::save_drawn(&stacked(strips)?, &destination, Some(columns))?;
    }
    Ok(exit::SUCCESS)
}

fn described(projected: &Projected, class_names: &[String]) -> String {
    let class = projected
        .class
        .and_then(|class| class_names.get(usize::try_from(class).ok()?))
        .map(|name| format!(", class {name}"))
        .unwrap_or_default();
    printable(&format!(
        "{}: {}{class}; nearest of {} samples: {}",
        projected.name,
        closeness(&projected.found),
        projected.samples,
        closeness(&projected.nearest_sample)
    ))
}

fn closeness(of: &Closeness) -> String {
    let features = of
        .feature_distance
        .map(|distance| format!(", {distance:.1} in the judge's features"))
        .unwrap_or_default();
    let label = match of.same_label {
        Some(true) => ", same label",
        Some(false) => ", another label",
        None => "",
    };
    format!("mean squared error {:.4}{features}{label}", of.mse)
}

/// Figures of several pictures.
#[derive(Default)]
struct Means {
    count: u32,
    mse: [f64; 2],
    features: [f64; 2],
    labels: [u32; 2],
    /// How many were judged.
    judged: u32,
}

impl Means {
    fn add(&mut self, projected: &Projected) {
        self.count += 1;
        let both = [projected.found, projected.nearest_sample];
        for (place, of) in both.iter().enumerate() {
            self.mse[place] += of.mse;
            self.features[place] += of.feature_distance.unwrap_or_default();
            self.labels[place] += u32::from(of.same_label == Some(true));
        }
        self.judged += u32::from(projected.found.same_label.is_some());
    }

    fn described(&self) -> String {
        let of = |place: usize| {
            let mse = self.mse[place] / f64::from(self.count);
            if self.judged == 0 {
                return format!("mean squared error {mse:.4}");
            }
            let judged = f64::from(self.judged);
            format!(
                "mean squared error {mse:.4}, {:.1} in the judge's features, label kept in {:.1} %",
                self.features[place] / judged,
                100.0 * f64::from(self.labels[place]) / judged
            )
        };
        format!(
            "{} pictures: {}; nearest samples: {}",
            self.count,
            of(0),
            of(1)
        )
    }
}
