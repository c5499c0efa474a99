//! `sparring runs`

use serde_json::json;
use sparring_contract::exit;
use sparring_contract::protocol::Verdict;
use sparring_contract::run::{Home, Run, RunError, State, Status};

use crate::cli::{Runs, RunsCommand};
use crate::dashboard::ago;
use crate::output::{say, sparkline};

/// Reports in the sparkline of a run.
const SPARK: usize = 16;

pub(super) fn runs(home: &Home, flags: &Runs) -> anyhow::Result<u8> {
    match &flags.command {
        None => list(home, flags.json),
        Some(RunsCommand::Rm { runs }) => remove(home, runs),
        Some(RunsCommand::Prune { keep, dry_run }) => prune(home, *keep, *dry_run),
    }
}

fn list(home: &Home, json: bool) -> anyhow::Result<u8> {
    let runs = home.runs()?;
    if json {
        for run in &runs {
            say(&as_json(run, &run.status()).to_string())?;
        }
        return Ok(exit::SUCCESS);
    }
    if runs.is_empty() {
        return Err(RunError::NoRuns {
            home: home.dir().to_owned(),
        }
        .into());
    }
    let rows: Vec<_> = runs.iter().map(|run| row(run, &run.status())).collect();
    let head = [
        "run",
        "state",
        "preset",
        "epoch",
        "step",
        "D loss",
        "G loss",
        "G lately",
        "health",
        "last sign",
    ]
    .map(str::to_owned);
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

fn row(run: &Run, status: &Status) -> [String; 10] {
    let unknown = || "–".to_owned();
    let number = |value: Option<f64>| match value {
        Some(value) if value.is_finite() => format!("{value:.3}"),
        _ => unknown(),
    };
    let started = status.started.as_ref();
    let latest = status.stats.as_ref();
    let generator: Vec<_> = status
        .losses
        .iter()
        .rev()
        .take(SPARK)
        .rev()
        .map(|(_, g)| *g)
        .collect();
    [
        run.name().to_owned(),
        state(status),
        started.map_or_else(unknown, |started| started.preset.clone()),
        match (latest, started) {
            (Some(latest), Some(started)) => format!("{}/{}", latest.epoch, started.epochs),
            _ => unknown(),
        },
        latest.map_or_else(unknown, |stats| stats.step.to_string()),
        number(latest.map(|stats| stats.d_loss)),
        number(latest.map(|stats| stats.g_loss)),
        sparkline(&generator),
        status
            .health
            .as_ref()
            .map_or_else(unknown, |health| verdict(&health.verdict)),
        status
            .time
            .map_or_else(unknown, |time| ago(crate::attach::now() - time)),
    ]
}

/// The verdict in a word, marked where a user should look at the run.
fn verdict(verdict: &Verdict) -> String {
    let mark = if verdict.is_alarm() { "!" } else { "" };
    format!("{}{mark}", verdict.word())
}

/// The state in a word; an end also says how it came.
fn state(status: &Status) -> String {
    match (&status.ended, status.state) {
        (Some(ended), State::Ended) => ended.reason.word().to_owned(),
        (_, state) => state.word().to_owned(),
    }
}

fn as_json(run: &Run, status: &Status) -> serde_json::Value {
    let latest = status.stats.as_ref();
    let health = status.health.as_ref();
    json!({
        "name": run.name(),
        "state": status.state.word(),
        "reason": status.ended.as_ref().map(|ended| ended.reason),
        "exit_code": status.ended.as_ref().map(|ended| ended.exit_code),
        "preset": status.started.as_ref().map(|started| &started.preset),
        "step": latest.map_or(0, |stats| stats.step),
        "epoch": latest.map_or(0, |stats| stats.epoch),
        "d_loss": latest.map(|stats| stats.d_loss),
        "g_loss": latest.map(|stats| stats.g_loss),
        "verdict": health.map(|health| &health.verdict),
        "alarm": health.map(|health| health.verdict.is_alarm()),
        "quick_distance": health.map(|health| health.quick_distance),
        "time": status.time,
        "directory": run.dir(),
    })
}

fn remove(home: &Home, names: &[String]) -> anyhow::Result<u8> {
    // All names are looked up before the first run goes, so that a slip removes nothing.
    let runs = names
        .iter()
        .map(|name| home.find(Some(name)))
        .collect::<Result<Vec<_>, _>>()?;
    for run in runs {
        let name = run.name().to_owned();
        run.remove()?;
        say(&format!("removed {name}"))?;
    }
    Ok(exit::SUCCESS)
}

fn prune(home: &Home, keep: usize, dry_run: bool) -> anyhow::Result<u8> {
    let over = |run: &Run| {
        matches!(
            run.status().state,
            State::Ended | State::Crashed | State::New
        )
    };
    let mut pruned = 0;
    for run in home.runs()?.into_iter().filter(over).skip(keep) {
        let name = run.name().to_owned();
        if !dry_run {
            run.remove()?;
        }
        say(&format!(
            "{} {name}",
            if dry_run { "would remove" } else { "removed" }
        ))?;
        pruned += 1;
    }
    if pruned == 0 {
        say(&format!(
            "nothing to remove: there are no more than {keep} runs that are over"
        ))?;
    }
    Ok(exit::SUCCESS)
}
