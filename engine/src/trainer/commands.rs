//! What the trainer is asked to do between two steps.

use std::fmt;

use sparring_contract::config::{Config, change_live};
use sparring_contract::protocol::{Command, Outcome, Pictures, Purpose, Reason};
use sparring_contract::run::Run;

use super::lending::{CopyRequest, Seen};
use super::pictures::{grid_columns, pictures};
use crate::gan::{PictureSpec, Session};

/// Pictures of one command at most.
const MOST_PICTURES: u64 = 256;

/// What the trainer is asked to do.
#[derive(Debug)]
pub(crate) enum Instruction {
    /// Save and end. [`Reason::Failed`] means that the run's directory was removed: end without saving.
    End(Reason),
    /// Carry out a user's command and report the outcome.
    Command(Command, Responder),
    /// Give the explorer a copy of the generator.
    Copy(CopyRequest),
    /// Keep a point that the explorer has shown, and report the outcome.
    Keep(Box<Seen>, Responder),
}

/// The way back to whoever gave a command: takes the step and the outcome, once.
pub(crate) struct Responder(Box<dyn FnOnce(u64, Outcome) + Send>);

impl Responder {
    /// A responder that calls a function.
    pub(crate) fn new(respond: impl FnOnce(u64, Outcome) + Send + 'static) -> Self {
        Self(Box::new(respond))
    }

    /// Reports the outcome at a step.
    pub(crate) fn respond(self, step: u64, outcome: Outcome) {
        (self.0)(step, outcome);
    }

    /// Reports that the command was refused.
    pub(crate) fn refuse(self, step: u64, reason: &str) {
        let reason = reason.to_owned();
        self.respond(step, Outcome::Refused { reason });
    }
}

impl From<Instruction> for Option<Responder> {
    /// The way back to whoever waits for an outcome.
    fn from(instruction: Instruction) -> Self {
        match instruction {
            Instruction::Command(_, responder) | Instruction::Keep(_, responder) => Some(responder),
            Instruction::End(_) | Instruction::Copy(_) => None,
        }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}

/// The detail of a command that was carried out, if there is one, or why it was refused.
pub(crate) type Done = Result<Option<String>, String>;

/// The outcome of a command.
pub(crate) fn outcome(done: Done) -> Outcome {
    match done {
        Ok(detail) => Outcome::Done { detail },
        Err(reason) => Outcome::Refused { reason },
    }
}

/// Fresh pictures, and how to lay them out.
pub(super) struct FreshPictures {
    pub(super) pictures: Pictures,
    /// Columns of a grid that is as square as possible.
    pub(super) columns: usize,
    /// The name of their file.
    pub(super) name: String,
}

/// Draws pictures from the noise of this seed, or of one that belongs to the step; of one class, or of each in its turn.
/// A count that is not allowed is refused, and a class that the model does not have.
pub(super) fn draw_fresh(
    session: &Session,
    config: &Config,
    (count, seed): (u64, Option<u64>),
    class: Option<u64>,
) -> Result<FreshPictures, String> {
    if count == 0 || count > MOST_PICTURES {
        return Err(format!("{count} pictures: ask for 1 to {MOST_PICTURES}"));
    }
    let seed = seed.unwrap_or_else(|| session.fresh_seed());
    let step = session.steps();
    let images = count.cast_signed();
    let (drawn, asked, suffix) = match class {
        None => (
            session.exhibit(seed, images),
            session.sample_labels(images),
            String::new(),
        ),
        Some(class) => {
            let data = session.loader().data();
            let spec = PictureSpec::new(config, data.shape(), data.class_names());
            let known = known_class(class, spec.num_classes)?;
            (
                session.sample_class(seed, images, known),
                vec![known; usize::try_from(count).unwrap_or_default()],
                format!("-class-{class}"),
            )
        }
    };
    let pictures = pictures(Purpose::Fresh, seed, step, &drawn, asked, session.parts());
    Ok(FreshPictures {
        columns: grid_columns(pictures.count as usize, pictures.group()),
        pictures,
        name: format!("fresh-{step:09}-{seed}{suffix}.png"),
    })
}

/// A class that was asked for, if the model has it; `classes` is how many it is told, 0 for none.
pub(crate) fn known_class(class: u64, classes: i64) -> Result<u32, String> {
    if classes == 0 {
        return Err("this model is unconditional".to_owned());
    }
    let known = u32::try_from(class).ok();
    known
        .filter(|known| i64::from(*known) < classes)
        .ok_or_else(|| format!("there is no class {class}, only 0 to {}", classes - 1))
}

/// Changes a key in the configuration, and in the run's own file so that a resumed run keeps the change.
pub(super) fn change_key(
    run: &Run,
    config: &Config,
    key: &str,
    value: &serde_json::Value,
) -> Result<Config, String> {
    let changed = change_live(config, key, value).map_err(|error| error.to_string())?;
    run.write_config(&changed)
        .map_err(|error| error.to_string())?;
    Ok(changed)
}
