//! `sparring edit`

use anyhow::bail;
use serde_json::{Value, json};
use sparring_contract::exit;
use sparring_contract::output::{say, say_json, tell};
use sparring_contract::protocol::{Edited, LatentNoise, LatentPoint, LatentRequest, TaskReply};
use sparring_contract::run::Home;
use sparring_contract::text::printable;

use super::point::point;
use super::subject::{Subject, Target, stacked, strip};
use crate::cli::Edit;
use crate::commands::source::any_seed;
use crate::sample;

/// Properties of the pictures of a file, at most: those that there are.
const MOST_PROPERTIES: u64 = 10;

pub fn edit(home: &Home, flags: &Edit) -> anyhow::Result<u8> {
    let target = Target::of(flags.out.as_deref(), flags.force)?;
    let subject = Subject::of(home, &flags.model)?;
    let seed = flags.seed.unwrap_or_else(any_seed);
    let start = match &flags.from {
        Some(name) => point(subject.run.as_ref(), name)?,
        None => LatentPoint {
            noise: LatentNoise::Seed(seed),
            class: None,
        },
    };
    let class = flags.class.as_deref();
    let class = class.map(|name| subject.class(name)).transpose()?;
    let length = 2 * flags.count + 1;
    let destination = target
        .map(|target| target.destination(MOST_PROPERTIES * u64::from(length), subject.shape()))
        .transpose()?;
    let request = LatentRequest::Edit {
        from: LatentPoint {
            class: class.or(start.class),
            ..start
        },
        properties: flags.property.clone(),
        amount: flags.amount,
        to_each_side: flags.count,
        trials: flags.trials,
    };
    let mut strips = Vec::new();
    subject.worker()?.ask(&request, |reply| {
        let TaskReply::Edited(edited) = reply else {
            bail!("the worker's answer makes no sense: no edit");
        };
        if flags.json {
            say_json(&figures(&edited).to_string())?;
        } else {
            say(&heading(&edited))?;
            if destination.is_none() {
                sample::show_drawn(
                    strip(&flags.drawing, &edited.pictures),
                    &edited.pictures,
                    &[],
                )?;
            }
            say(&trials(&edited))?;
        }
        strips.push(edited.pictures);
        Ok(())
    })?;
    if let Some(destination) = destination {
        let columns = flags.drawing.columns.or(u16::try_from(length).ok());
        sample::save_drawn(&stacked(strips)?, &destination, columns)?;
    }
    if flags.seed.is_none() && flags.from.is_none() {
        tell(&format!("{}, seed {seed}", subject.checkpoint.display()));
    }
    Ok(exit::SUCCESS)
}

fn figures(edited: &Edited) -> Value {
    json!({
        "property": edited.property,
        "in_words": edited.words,
        "is_principal": edited.is_principal,
        "values": edited.values,
        "deviation": edited.deviation,
        "trials": edited.trials,
    })
}

/// What changes, and from what to what.
fn heading(edited: &Edited) -> String {
    let words = printable(&edited.words);
    match (edited.values.first(), edited.values.last()) {
        (Some(least), Some(most)) => {
            format!("{words}: {least:.2} to {most:.2}")
        }
        _ => words,
    }
}

/// How often it works.
fn trials(edited: &Edited) -> String {
    let trials = &edited.trials;
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut parts = Vec::new();
    if trials.monotone.is_finite() {
        parts.push(format!(
            "grows from picture to picture in {}",
            percent(trials.monotone)
        ));
    }
    if let (Some(least), Some(most)) = (trials.label_kept_least, trials.label_kept_most) {
        parts.push(format!(
            "label kept in {} at the left end, {} at the right",
            percent(least),
            percent(most)
        ));
    }
    let plural = if trials.count == 1 { "" } else { "s" };
    let of = format!("from {} other start{plural}", trials.count);
    if parts.is_empty() {
        return format!("{of}: nothing to measure without a judge");
    }
    format!("{of}: {}", parts.join("; "))
}
