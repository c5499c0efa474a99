//! A run that does not end by itself, and what must be true of it whatever happens around it.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sparring_contract::protocol::Event;
use sparring_contract::run::{Run, read_tail};

use crate::check;
use crate::lab::tensors;
use crate::part::{Miss, Outcome};
use crate::rig::{NAME, Rig, Site, run_to_the_end};

/// Steps and epochs of a run that does not end by itself.
const ENDLESS: u64 = 100_000_000;

/// The job without an end, behind a dashboard.
pub fn endless(site: &Site) -> Command {
    let mut job = site.watched_job(ENDLESS);
    job.args(["--epochs", &ENDLESS.to_string()]);
    job
}

/// The latest step that was reported, and when that was.
pub fn latest(run: &Run) -> (u64, f64) {
    read_tail(&run.events_file())
        .iter()
        .rev()
        .find_map(|record| match &record.event {
            Event::Stats(stats) => Some((stats.step, record.time)),
            _ => None,
        })
        .unwrap_or_default()
}

/// The latest step that was reported.
pub fn last_step(run: &Run) -> u64 {
    latest(run).0
}

/// The run, once there is one.
pub fn run_of(site: &Site) -> Result<Run, Miss> {
    let begun = Instant::now();
    loop {
        if let Some(run) = site.run().filter(|run| last_step(run) > 0) {
            return Ok(run);
        }
        check!(
            begun.elapsed() < Duration::from_secs(30),
            "the run never began"
        );
        sleep(Duration::from_millis(50));
    }
}

/// Waits until the run has made further steps.
pub fn goes_on(run: &Run, before: u64) -> Outcome {
    let begun = Instant::now();
    while last_step(run) <= before {
        check!(
            begun.elapsed() < Duration::from_secs(30),
            "the run stands still at step {before}"
        );
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

pub fn stop(site: &Site) -> Outcome {
    let stopped = site.sparring(&["stop", NAME]);
    check!(stopped.code == Some(0), "`stop`: {}", stopped.summary());
    site.becomes_quiet();
    Ok(())
}

/// All this changed no bit: a job that nobody looks at is the same at the step at which this one was stopped.
pub fn undisturbed(rig: &Rig, site: &Site) -> Outcome {
    let run = site
        .run()
        .ok_or_else(|| Miss::Lost("there is no run".to_owned()))?;
    let newest = run.newest_checkpoint().map(|newest| newest.step);
    let step = newest.map_err(|error| Miss::Lost(error.to_string()))?;
    let alone = rig.site();
    let mut job = alone.job_of(step);
    let ran = run_to_the_end({
        job.args(["--epochs", &ENDLESS.to_string()]);
        job
    });
    check!(ran.code == Some(0), "{}", ran.summary());
    let other = alone
        .run()
        .ok_or_else(|| Miss::Wrong("there is no run".to_owned()))?;
    if tensors(&run, step) == tensors(&other, step) {
        Ok(())
    } else {
        Err(Miss::NotIdentical(format!("step {step}")))
    }
}
