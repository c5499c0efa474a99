//! What must be true of a run, whatever happened to its worker.

use std::fs;
use std::path::Path;

use sparring_contract::protocol::{Event, Record};
use sparring_contract::run::{CheckpointHeader, Run};

use super::job::Rig;
use super::process::{Ran, run_to_the_end};
use super::shim::{Call, Shim};
use super::site::{LAST_STEP, NAME, Site};
use crate::check;
use crate::lab::tensors;
use crate::part::{Miss, Outcome};

/// What a worker told its user before it ended, and so may not take back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The latest step of which it said that it is saved.
    pub saved: Option<u64>,
}

impl Told {
    pub fn by(ran: &Ran) -> Self {
        let saved = ran.events().filter_map(|event| match event {
            Event::Checkpoint(checkpoint) if !checkpoint.best => Some(checkpoint.step),
            _ => None,
        });
        Self { saved: saved.max() }
    }

    /// As if all had been told that is saved.
    pub fn saved_in(site: &Site) -> Self {
        let newest = site.run().and_then(|run| run.newest_checkpoint().ok());
        Self {
            saved: newest.map(|newest| newest.step),
        }
    }

    /// What is told by either.
    pub fn or(self, other: Self) -> Self {
        Self {
            saved: self.saved.max(other.saved),
        }
    }
}

/// A job that was not killed must say what went wrong.
pub fn check_told(site: &Site, ran: &Ran, shim: &Shim) -> Outcome {
    check_exit(site, ran)?;
    let mut struck = shim.calls().into_iter();
    let Some(first) = struck.find(|call| call.failed > 0 && must_be_told(call)) else {
        return Ok(());
    };
    let error = std::io::Error::from_raw_os_error(first.failed).to_string();
    check!(
        ran.out.contains(&error) || ran.err.contains(&error),
        "nothing was said of {first}: {error}; {}",
        ran.summary()
    );
    Ok(())
}

/// The exit code of a job that was not killed must say whether the last step is saved.
pub fn check_exit(site: &Site, ran: &Ran) -> Outcome {
    check!(!ran.hung, "it hung; {}", ran.summary());
    let Some(code @ (0 | 1)) = ran.code else {
        return Err(Miss::Wrong(format!(
            "exit 0 or 1 expected; {}",
            ran.summary()
        )));
    };
    for line in ran.err.lines() {
        check!(
            !line.contains("panicked") && line.chars().all(|c| !c.is_control()),
            "no line for a user: {line:?}"
        );
    }
    let newest = site.run().and_then(|run| run.newest_checkpoint().ok());
    let is_saved = newest.is_some_and(|newest| newest.step == LAST_STEP);
    check!(
        code == 1 || is_saved,
        "exit 0, and the last step is not saved; {}",
        ran.summary()
    );
    check!(
        code == 0
            || !ran.err.is_empty()
            || ran.events().any(|event| matches!(event, Event::Ended(_))),
        "exit 1 without a word"
    );
    Ok(())
}

/// Whether a user must hear that a call failed. What only tidies up or explains need not be told of.
fn must_be_told(call: &Call) -> bool {
    let is = |ending: &str| call.path.ends_with(ending);
    let tidies = matches!(call.op.as_str(), "unlink" | "rmdir");
    !tidies && !is("worker.log") && !is("failure.json")
}

/// Asserts that each line of a log is a record; only the last may be torn. Returns whether it is.
pub fn check_log(path: &Path) -> Result<bool, Miss> {
    let log = fs::read(path).unwrap_or_default();
    let mut lines: Vec<_> = log.split(|byte| *byte == b'\n').collect();
    let rest = lines.pop().unwrap_or_default();
    for (number, line) in (1..).zip(lines) {
        check!(
            serde_json::from_slice::<Record>(line).is_ok(),
            "line {number} of events.jsonl is no record: {:?}",
            String::from_utf8_lossy(line)
        );
    }
    Ok(!rest.is_empty() && serde_json::from_slice::<Record>(rest).is_err())
}

/// Asserts that nothing which was told as saved is lost, that every command works on what is left, and that the same job,
/// started again, ends as if nothing had happened.
pub fn check_goes_on(rig: &Rig, site: &Site, told: Told) -> Outcome {
    let torn = match site.run() {
        Some(run) => check_left(site, &run, told)?,
        None if told.saved.is_some() => return Err(Miss::Lost("there is no run".to_owned())),
        None => false,
    };
    let again = run_to_the_end(site.job());
    check!(
        again.code == Some(0) && !again.hung,
        "the same job again: {}",
        again.summary()
    );
    let begins = again.events().find_map(|event| match event {
        Event::Started(started) => Some(started.step),
        _ => None,
    });
    if let (Some(saved), Some(begins)) = (told.saved, begins)
        && begins < saved
    {
        return Err(Miss::Lost(format!(
            "it went on from step {begins}, and step {saved} was saved"
        )));
    }
    check_end(rig, site)?;
    let run = site.run().unwrap();
    let log = fs::read_to_string(run.events_file()).unwrap();
    check!(
        !torn || log.contains("which was cut off"),
        "half a line of the log was cut off without a word"
    );
    Ok(())
}

/// Asserts that a run which may have been left at any moment is fit to be looked at and to go on. Returns whether its log
/// is torn.
fn check_left(site: &Site, run: &Run, told: Told) -> Result<bool, Miss> {
    let torn = check_log(&run.events_file())?;
    let (newest, broken) = run.newest_intact_checkpoint();
    check!(
        broken.is_empty(),
        "no write is seen half done, and yet: {broken:?}"
    );
    let newest = newest.map(|(checkpoint, _)| checkpoint.step);
    if newest < told.saved {
        return Err(Miss::Lost(format!(
            "step {:?} was saved, and the newest checkpoint is {newest:?}",
            told.saved
        )));
    }
    let best = run.best_checkpoint_file();
    if best.exists() {
        let read = CheckpointHeader::read_intact(&best);
        check!(read.is_ok(), "the best checkpoint is broken: {read:?}");
    }
    let listed = site.sparring(&["runs"]);
    check!(
        listed.code == Some(0) && listed.out.contains(NAME) && listed.err.is_empty(),
        "`runs`: {}",
        listed.summary()
    );
    let logs = site.sparring(&["logs", NAME]);
    check!(logs.code == Some(0), "`logs`: {}", logs.summary());
    Ok(torn)
}

/// Asserts that a run has ended as the undisturbed one did, and that nothing is left over.
pub fn check_end(rig: &Rig, site: &Site) -> Outcome {
    let run = site
        .run()
        .ok_or_else(|| Miss::Lost("there is no run at the end".to_owned()))?;
    let torn = check_log(&run.events_file())?;
    check!(!torn, "the log ends in half a line");
    let steps: Vec<_> = run.checkpoints().iter().map(|it| it.step).collect();
    check!(
        steps.first() == Some(&LAST_STEP) && steps.len() <= 2,
        "checkpoints at the end: {steps:?}"
    );
    if tensors(&run, LAST_STEP) != rig.reference {
        return Err(Miss::NotIdentical(
            "the tensors of the last step differ".to_owned(),
        ));
    }
    let left: Vec<_> = site
        .entries()
        .into_iter()
        .filter(|name| name.contains(".writing-"))
        .collect();
    check!(left.is_empty(), "left over: {left:?}");
    Ok(())
}
