//! What changes a dashboard: a message in, effects out.

mod actions;
mod commands;
mod dialogs;
mod explore;
mod keys;
mod worker;

use sparring_contract::protocol::Purpose;

use super::message::{Effect, Message};
use super::state::{Connection, Dialog, State, Weight, extend_note, plain};

/// Takes in a message and says what is to be done.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Tick(now) => tick(state, now),
        Message::Key(key) => keys::press(state, key),
        Message::Paste(text) => paste(state, &text),
        Message::FromWorker(said) => worker::hear(state, said),
        Message::LinkLost { why } => lose(state, &why),
        Message::Undrawn { why } => {
            state.gallery.showing = Purpose::Fixed;
            write(state, Weight::Warning, format!("no fresh pictures: {why}"))
        }
        Message::WorkerDied { status, log } => bury(state, &status, &log),
        Message::Traffic(rate) => measure(state, rate),
        Message::Remark(text) => write(state, Weight::Warning, text),
        Message::Aside(text) => write(state, Weight::Plain, text),
        Message::Click(panel) => {
            actions::choose(state, panel);
            Vec::new()
        }
        Message::Wheel { panel, up } => {
            actions::scroll(state, panel, up);
            Vec::new()
        }
    }
}

fn tick(state: &mut State, now: f64) -> Vec<Effect> {
    if now.is_finite() {
        state.now = now;
    }
    Vec::new()
}

/// Pasted text goes into a note and nowhere else: the lines of a pasted script must not stop a run.
fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(Dialog::Note(note)) = &mut state.dialog {
        extend_note(note, text);
    }
    Vec::new()
}

fn measure(state: &mut State, rate: f64) -> Vec<Effect> {
    state.traffic = rate.is_finite().then_some(rate);
    Vec::new()
}

fn write(state: &mut State, weight: Weight, text: String) -> Vec<Effect> {
    state.journal.write(state.now, weight, text);
    Vec::new()
}

/// A worker that has ended its run closes the connection. That is not a loss.
fn lose(state: &mut State, why: &str) -> Vec<Effect> {
    if !state.is_alive() {
        return Vec::new();
    }
    let why = plain(why);
    abandon(state);
    state.journal.write(
        state.now,
        Weight::Warning,
        format!("connection lost: {why}"),
    );
    state.connection = Connection::Lost { why };
    Vec::new()
}

fn bury(state: &mut State, status: &str, log: &[String]) -> Vec<Effect> {
    if !state.is_alive() {
        return Vec::new();
    }
    let status = plain(status);
    abandon(state);
    let news = format!("worker gone: {status}");
    state.journal.write(state.now, Weight::Alarm, news.clone());
    state.connection = Connection::Died {
        status,
        log: log.iter().map(|line| plain(line)).collect(),
    };
    state.dialog = Some(Dialog::Died);
    vec![Effect::Notify(format!("{}: {news}", state.name))]
}

/// Whoever was to answer is gone.
fn abandon(state: &mut State) {
    let open = state.requests.abandon();
    if open > 0 {
        let text = "no answer to the last command: check whether it was done";
        state.journal.write(state.now, Weight::Warning, text);
    }
    state.stopping = false;
}
