//! Commands on their way to the worker.

use sparring_contract::protocol::{Command, Phase};

use crate::dashboard::message::Effect;
use crate::dashboard::state::{State, Weight, command_name};

/// How many pictures a sample command draws: a 4×4 grid.
const PICTURES: u64 = 16;

/// Sends a command, if there is a worker and this face may.
pub(super) fn send(state: &mut State, command: Command) -> Vec<Effect> {
    if let Some(why) = state.refusal() {
        let text = format!("{} was not sent: {why}", command_name(&command));
        state.journal.write(state.now, Weight::Warning, text);
        return Vec::new();
    }
    let Some(id) = state.requests.open(command.clone()) else {
        let text = "the worker has not answered for a while: the command was not sent";
        state.journal.write(state.now, Weight::Warning, text);
        return Vec::new();
    };
    vec![Effect::Send { id, command }]
}

/// Pauses, or goes on: the opposite of what is so or on its way.
pub(super) fn toggle_pause(state: &mut State) -> Vec<Effect> {
    let paused = state
        .requests
        .pausing()
        .unwrap_or(state.timeline.phase == Phase::Paused);
    send(
        state,
        if paused {
            Command::Resume
        } else {
            Command::Pause
        },
    )
}

/// Asks the worker for fresh pictures, or has them drawn from the checkpoint of a run that is over.
pub(super) fn sample(state: &mut State) -> Vec<Effect> {
    if !state.is_alive() {
        if state.gallery.awaits_fresh() {
            return Vec::new();
        }
        state.gallery.await_fresh();
        return vec![Effect::Draw];
    }
    let effects = send(
        state,
        Command::Sample {
            count: PICTURES,
            seed: None,
        },
    );
    if !effects.is_empty() {
        state.gallery.await_fresh();
    }
    effects
}

pub(super) fn checkpoint(state: &mut State) -> Vec<Effect> {
    if state.requests.any(|open| *open == Command::Checkpoint) {
        return Vec::new();
    }
    send(state, Command::Checkpoint)
}

pub(super) fn stop(state: &mut State, save: bool) -> Vec<Effect> {
    let effects = send(state, Command::Stop { save });
    state.stopping |= !effects.is_empty();
    effects
}

/// What a command that was carried out says about the run, for a worker that tells nothing else of it.
pub(super) fn done(state: &mut State, command: &Command, step: u64) {
    match command {
        Command::Pause => state.timeline.enter(Phase::Paused, step),
        Command::Resume if state.timeline.phase == Phase::Paused => {
            state.timeline.phase = Phase::Training;
        }
        Command::Set { key, value } => state.rates.set(key, value.as_f64()),
        _ => {}
    }
}
