//! What the worker says.

use sparring_contract::protocol::{Ack, Command, Event, Outcome, Reason, Record, ToFace};

use super::{commands, explore};
use crate::dashboard::message::Effect;
use crate::dashboard::state::{State, Weight, command_name, refused};

pub(super) fn hear(state: &mut State, said: ToFace) -> Vec<Effect> {
    match said {
        ToFace::Hello(hello) => {
            state.name = hello.run;
            Vec::new()
        }
        ToFace::Snapshot(snapshot) => {
            state.take_snapshot(*snapshot);
            Vec::new()
        }
        ToFace::Event { sequence, record } => happen(state, sequence, record),
        ToFace::Pictures(pictures) => {
            explore::see(state, &pictures);
            state.gallery.receive(pictures, Some(state.now));
            Vec::new()
        }
        ToFace::Machine(machine) => {
            state.machine = Some(machine);
            Vec::new()
        }
        ToFace::Ack(ack) => answer(state, &ack),
        ToFace::Omitted { what } => {
            state.journal.write(state.now, Weight::Warning, what);
            Vec::new()
        }
        ToFace::Unknown => Vec::new(),
    }
}

/// An event that the snapshot already contains may still arrive.
fn happen(state: &mut State, sequence: u64, record: Record) -> Vec<Effect> {
    if sequence <= state.sequence {
        return Vec::new();
    }
    state.sequence = sequence;
    let news = match &record.event {
        Event::Warning { message, .. } => Some(message.clone()),
        Event::Alarm { message, .. } => Some(format!("alarm: {message}")),
        Event::Rollback(rollback) => Some(format!(
            "rolled back to step {}: {}",
            rollback.back_to, rollback.cause
        )),
        Event::Ended(ended) => Some(ended_news(ended.reason, ended.message.as_deref())),
        _ => None,
    };
    let over = matches!(record.event, Event::Ended(_));
    state.absorb(record);
    if over {
        state.requests.abandon();
        state.dialog = None;
    }
    news.map(|news| Effect::Notify(format!("{}: {news}", state.name)))
        .into_iter()
        .collect()
}

fn ended_news(reason: Reason, message: Option<&str>) -> String {
    match message {
        Some(message) => format!("{}: {message}", reason.word()),
        None => reason.word().to_owned(),
    }
}

fn answer(state: &mut State, ack: &Ack) -> Vec<Effect> {
    let Some(command) = state.requests.close(ack.id) else {
        return Vec::new();
    };
    if explore::answered(state, &command, &ack.outcome) {
        return Vec::new();
    }
    match &ack.outcome {
        Outcome::Done { .. } => commands::done(state, &command, ack.step),
        outcome => {
            if let Some(text) = refused(&command_name(&command), outcome) {
                state.journal.write(state.now, Weight::Warning, text);
            }
            if matches!(command, Command::Stop { .. }) {
                state.stopping = false;
            }
        }
    }
    Vec::new()
}
