//! Commands to the worker of a run that is training: what a key of the dashboard can do, a script can.

use anyhow::bail;
use serde_json::Value;
use sparring_contract::exit;
use sparring_contract::output::say;
use sparring_contract::protocol::Command;
use sparring_contract::run::{Home, RunError};

use super::wait::wait;
use crate::client::{Answer, ask, find_live};

pub(super) fn pause(home: &Home, run: Option<&str>) -> anyhow::Result<u8> {
    tell(home, run, Command::Pause, |answer| {
        format!("paused at step {}", answer.step)
    })
}

pub(super) fn unpause(home: &Home, run: Option<&str>) -> anyhow::Result<u8> {
    tell(home, run, Command::Resume, |answer| {
        format!("training from step {}", answer.step)
    })
}

/// `sparring step [RUN] [N]`: a lone number is N, unless a run has that name.
pub(super) fn step(home: &Home, run: Option<&str>, steps: Option<&str>) -> anyhow::Result<u8> {
    let (run, steps) = match (run, steps) {
        (Some(number), None) if is_number(number) && !is_run(home, number) => (None, Some(number)),
        given => given,
    };
    let steps = match steps.map(str::parse) {
        None => 1,
        Some(Ok(steps)) if steps > 0 => steps,
        Some(_) => bail!(
            "`{}` is no number of steps; give a whole number from 1",
            steps.unwrap_or_default()
        ),
    };
    tell(home, run, Command::Step { steps }, |answer| {
        let plural = if steps == 1 { "" } else { "s" };
        format!(
            "{steps} step{plural} from step {}, then a pause",
            answer.step
        )
    })
}

fn is_number(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_digit())
}

fn is_run(home: &Home, name: &str) -> bool {
    !matches!(
        home.find(Some(name)),
        Err(RunError::NoSuchRun { .. } | RunError::NoRuns { .. })
    )
}

pub(super) fn checkpoint(home: &Home, run: Option<&str>) -> anyhow::Result<u8> {
    tell(home, run, Command::Checkpoint, |answer| {
        with_detail(format!("checkpoint saved at step {}", answer.step), answer)
    })
}

/// `sparring set [RUN] KEY=VALUE`. A key that both networks have, without the network's name, sets both.
pub(super) fn set(home: &Home, run: Option<&str>, setting: &str) -> anyhow::Result<u8> {
    let Some((key, value)) = setting.split_once('=') else {
        bail!("`{setting}`: expected key=value, such as learning_rate=1e-4");
    };
    let (key, value) = (key.trim(), value.trim());
    // Anything that is not JSON is text. Whether the key accepts it is for the worker to say.
    let value: Value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    let keys = match key {
        "learning_rate" => vec!["discriminator.learning_rate", "generator.learning_rate"],
        key => vec![key],
    };
    for key in keys {
        let command = Command::Set {
            key: key.to_owned(),
            value: value.clone(),
        };
        tell(home, run, command, |answer| {
            format!("{key} = {value} from step {}", answer.step)
        })?;
    }
    Ok(exit::SUCCESS)
}

pub(super) fn note(home: &Home, run: Option<&str>, text: &str) -> anyhow::Result<u8> {
    let command = Command::Note {
        text: text.to_owned(),
    };
    tell(home, run, command, |answer| {
        format!("noted at step {}", answer.step)
    })
}

/// Returns when the worker is gone, so that the next command of a script finds the run free.
pub(super) fn stop(home: &Home, run: Option<&str>, save: bool) -> anyhow::Result<u8> {
    let run = find_live(home, run)?;
    let answer = ask(&run, Command::Stop { save })?;
    wait(&run)?;
    let ended = run.status().timeline.ended;
    let step = ended.as_ref().map_or(answer.step, |end| end.stats.step);
    let kept = ended.and_then(|end| end.checkpoint);
    say(&match kept {
        Some(file) => format!(
            "stopped at step {step}; newest checkpoint: {}",
            file.display()
        ),
        None => format!("stopped at step {step}; no checkpoint was saved"),
    })?;
    Ok(exit::SUCCESS)
}

/// Sends a command and prints what it did.
fn tell(
    home: &Home,
    run: Option<&str>,
    command: Command,
    words: impl Fn(&Answer) -> String,
) -> anyhow::Result<u8> {
    let run = find_live(home, run)?;
    let answer = ask(&run, command)?;
    say(&words(&answer))?;
    Ok(exit::SUCCESS)
}

fn with_detail(words: String, answer: &Answer) -> String {
    match &answer.detail {
        Some(detail) => format!("{words}: {detail}"),
        None => words,
    }
}
