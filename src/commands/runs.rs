//! `sparring runs`

use std::io::{self, IsTerminal as _};

use serde_json::json;
use sparring_contract::exit;
use sparring_contract::output::{ask, say, say_json};
use sparring_contract::protocol::{MetricKind, MetricSpec, Verdict};
use sparring_contract::run::{Home, Run, RunError, State, Status, Timeline};
use sparring_contract::text::printable;

use crate::cli::{Runs, RunsCommand};
use crate::clock::now;
use crate::dashboard::ago;
use crate::sparkline::sparkline;

/// Reports in the sparkline of a run.
const SPARK: usize = 16;

pub(super) fn runs(home: &Home, flags: &Runs) -> anyhow::Result<u8> {
    match &flags.command {
        None => list(home, flags.json),
        Some(RunsCommand::Rm { runs, yes }) => remove(home, runs, *yes),
        Some(RunsCommand::Prune { keep, dry_run, .. }) if *dry_run => would_prune(home, *keep),
        Some(RunsCommand::Prune { keep, yes, .. }) => prune(home, *keep, *yes),
    }
}

fn list(home: &Home, json: bool) -> anyhow::Result<u8> {
    let runs = home.runs()?;
    if json {
        for run in &runs {
            say_json(&as_json(run, &run.status()).to_string())?;
        }
        return Ok(exit::SUCCESS);
    }
    if runs.is_empty() {
        return Err(RunError::NoRuns {
            home: home.dir().to_owned(),
        }
        .into());
    }
    let listed: Vec<_> = runs.into_iter().map(|run| (run.status(), run)).collect();
    let losses = loss_labels(listed.iter().map(|(status, _)| status));
    let head = head(&losses);
    let rows: Vec<_> = listed
        .iter()
        .map(|(status, run)| row(run, status, &losses))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .chain([&head])
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    for row in [&head].into_iter().chain(&rows) {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say(cells.join("  ").trim_end())?;
    }
    Ok(exit::SUCCESS)
}

/// What a run reports.
fn metrics(status: &Status) -> Vec<MetricSpec> {
    let started = status.timeline.started.as_ref();
    started.map_or_else(Vec::new, |started| started.metric_specs().into_owned())
}

/// What a run reports as losses, their names as a terminal may show them.
fn losses(status: &Status) -> Vec<MetricSpec> {
    let mut losses = metrics(status);
    losses.retain(|spec| spec.kind == MetricKind::Loss);
    for loss in &mut losses {
        loss.label = printable(&loss.label);
    }
    losses
}

/// The names of all losses that these runs report.
fn loss_labels<'a>(runs: impl Iterator<Item = &'a Status>) -> Vec<String> {
    let mut labels = Vec::new();
    for loss in runs.flat_map(losses) {
        if !labels.contains(&loss.label) {
            labels.push(loss.label);
        }
    }
    labels
}

fn head(losses: &[String]) -> Vec<String> {
    let before = ["run", "state", "preset", "epoch", "step"].map(str::to_owned);
    let lately = losses.last().map(|label| format!("{label} lately"));
    let after = ["health", "last sign"].map(str::to_owned);
    before
        .into_iter()
        .chain(losses.iter().cloned())
        .chain(lately)
        .chain(after)
        .collect()
}

/// The cells of a run, in the order of [`head`].
fn row(run: &Run, status: &Status, labels: &[String]) -> Vec<String> {
    let unknown = || "–".to_owned();
    let timeline = &status.timeline;
    let started = timeline.started.as_ref();
    let latest = timeline.latest();
    let losses = losses(status);
    let loss = |label: &String| losses.iter().find(|loss| loss.label == *label);
    let mut cells = vec![
        printable(run.name()),
        state(status),
        started.map_or_else(unknown, |started| printable(&started.preset)),
        match (latest, started) {
            (Some(latest), Some(started)) => format!("{}/{}", latest.epoch, started.epochs),
            _ => unknown(),
        },
        latest.map_or_else(unknown, |stats| stats.step.to_string()),
    ];
    cells.extend(labels.iter().map(|label| match (loss(label), latest) {
        (Some(loss), Some(known)) => loss.format(known.metrics.get(&loss.key)),
        _ => unknown(),
    }));
    cells.extend(labels.last().map(|label| {
        let course = loss(label).map(|loss| lately(timeline, &loss.key));
        course.unwrap_or_default()
    }));
    let health = timeline.health.as_ref();
    cells.push(health.map_or_else(unknown, |health| verdict(&health.value.verdict)));
    cells.push(timeline.time.map_or_else(unknown, |time| ago(now() - time)));
    cells
}

/// The latest course of a metric.
fn lately(timeline: &Timeline, key: &str) -> String {
    let mut values: Vec<_> = timeline
        .reports
        .iter()
        .rev()
        .take(SPARK)
        .map(|stats| stats.metrics.get(key))
        .collect();
    values.reverse();
    sparkline(&values)
}

/// The verdict in a word, marked where a user should look at the run.
fn verdict(verdict: &Verdict) -> String {
    let mark = if verdict.is_alarm() { "!" } else { "" };
    format!("{}{mark}", verdict.word())
}

/// The state in a word; an end also says how it came.
fn state(status: &Status) -> String {
    match (&status.timeline.ended, status.state) {
        (Some(ended), State::Ended) => ended.reason.word().to_owned(),
        (_, state) => state.word().to_owned(),
    }
}

fn as_json(run: &Run, status: &Status) -> serde_json::Value {
    let timeline = &status.timeline;
    let latest = timeline.latest();
    let health = timeline.health.as_ref().map(|health| &health.value);
    let ended = timeline.ended.as_ref();
    let mut line = json!({
        "name": run.name(),
        "state": status.state.word(),
        "reason": ended.map(|ended| ended.reason),
        "exit_code": ended.map(|ended| ended.exit_code),
        "preset": timeline.started.as_ref().map(|started| &started.preset),
        "step": latest.map_or(0, |stats| stats.step),
        "epoch": latest.map_or(0, |stats| stats.epoch),
        "verdict": health.map(|health| &health.verdict),
        "alarm": health.map(|health| health.verdict.is_alarm()),
        "quick_distance": health.map(|health| health.quick_distance),
        "features": health.and_then(|health| health.features),
        "time": timeline.time,
        "directory": run.dir(),
    });
    // What the run reports is flat, as in its log. A value that is not finite is null.
    for spec in metrics(status) {
        let value = latest.map_or(f64::NAN, |stats| stats.metrics.get(&spec.key));
        line[&spec.key] = value.into();
    }
    line
}

fn remove(home: &Home, names: &[String], yes: bool) -> anyhow::Result<u8> {
    // Looks up all names before it removes a run, so that a typing error removes nothing.
    let runs = names
        .iter()
        .map(|name| home.find(Some(name)))
        .collect::<Result<Vec<_>, _>>()?;
    remove_all(runs, yes)
}

/// Removes runs, if the user agrees.
fn remove_all(runs: Vec<Run>, yes: bool) -> anyhow::Result<u8> {
    if !yes && !agrees(&runs)? {
        say("nothing was removed")?;
        return Ok(exit::FAILURE);
    }
    for run in runs {
        let name = run.name().to_owned();
        run.remove()?;
        say(&format!("removed {name}"))?;
    }
    Ok(exit::SUCCESS)
}

/// Whether the user agrees that these runs go. Where nobody can be asked, giving the command is enough.
fn agrees(runs: &[Run]) -> io::Result<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(true);
    }
    let names: Vec<_> = runs.iter().map(Run::name).collect();
    let (runs, them) = if names.len() == 1 {
        ("run", "it")
    } else {
        ("runs", "them")
    };
    ask(&format!(
        "remove {runs} {} with everything in {them}? [y/N]",
        names.join(", ")
    ));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The runs that are over, without the latest.
fn superfluous(home: &Home, keep: usize) -> Result<Vec<Run>, RunError> {
    let is_over = |run: &Run| {
        matches!(
            run.status().state,
            State::Ended | State::Crashed | State::New
        )
    };
    Ok(home
        .runs()?
        .into_iter()
        .filter(is_over)
        .skip(keep)
        .collect())
}

fn prune(home: &Home, keep: usize, yes: bool) -> anyhow::Result<u8> {
    let runs = superfluous(home, keep)?;
    if runs.is_empty() {
        return nothing_to_prune(keep);
    }
    remove_all(runs, yes)
}

fn would_prune(home: &Home, keep: usize) -> anyhow::Result<u8> {
    let runs = superfluous(home, keep)?;
    if runs.is_empty() {
        return nothing_to_prune(keep);
    }
    for run in runs {
        say(&format!("would remove {}", run.name()))?;
    }
    Ok(exit::SUCCESS)
}

fn nothing_to_prune(keep: usize) -> anyhow::Result<u8> {
    say(&format!(
        "nothing to remove: there are no more than {keep} runs that are over"
    ))?;
    Ok(exit::SUCCESS)
}
