//! Keys while a dialogue is open. The dialogue was taken out of the state; a key that keeps it open puts it back.

use crossterm::event::KeyCode;
use sparring_contract::protocol::Command;

use super::actions::{act, leave};
use super::{actions, commands, explore};
use crate::dashboard::key::KeyPress;
use crate::dashboard::keymap::Action;
use crate::dashboard::message::Effect;
use crate::dashboard::state::{Dialog, Rates, State, extend_note};

pub(super) fn press(
    state: &mut State,
    dialog: Dialog,
    key: KeyPress,
    action: Option<Action>,
) -> Vec<Effect> {
    if key.code == KeyCode::Esc {
        return Vec::new();
    }
    match dialog {
        Dialog::Help => help(state, action),
        Dialog::Died => died(state, action),
        Dialog::Stop => stop(state, key),
        Dialog::Discard => discard(state, key),
        Dialog::Rates(rates) => learning_rates(state, rates, key),
        Dialog::Note(note) => write(state, note, key),
        Dialog::Search(words) => search(state, words, key),
        Dialog::Explore(explorer) => explore::press(state, explorer, key),
    }
}

/// Any key closes the help, except those that change the panel it explains.
fn help(state: &mut State, action: Option<Action>) -> Vec<Effect> {
    match action {
        Some(turn @ (Action::Next | Action::Previous)) => {
            state.dialog = Some(Dialog::Help);
            act(state, turn)
        }
        Some(Action::Detach) => leave(state),
        _ => Vec::new(),
    }
}

fn died(state: &mut State, action: Option<Action>) -> Vec<Effect> {
    match action {
        Some(Action::Detach) => leave(state),
        _ => Vec::new(),
    }
}

/// A key that is not an answer leaves the dialogue open.
fn stop(state: &mut State, key: KeyPress) -> Vec<Effect> {
    match key.typed() {
        Some('s') => commands::stop(state, true),
        Some('d') => leave(state),
        typed => {
            state.dialog = Some(match typed {
                Some('w') => Dialog::Discard,
                _ => Dialog::Stop,
            });
            Vec::new()
        }
    }
}

/// The second question before steps are lost.
fn discard(state: &mut State, key: KeyPress) -> Vec<Effect> {
    if key.typed() == Some('y') {
        return commands::stop(state, false);
    }
    state.dialog = Some(Dialog::Discard);
    Vec::new()
}

fn learning_rates(state: &mut State, mut rates: Rates, key: KeyPress) -> Vec<Effect> {
    match key.code {
        KeyCode::Enter => return set_rates(state, rates),
        KeyCode::Up | KeyCode::Down | KeyCode::Tab | KeyCode::BackTab => rates.choose_other(),
        KeyCode::Backspace => rates.erase(),
        KeyCode::Delete => rates.clear(),
        _ => match key.typed() {
            Some('*' | 'x' | '×') => rates.scale(2.0),
            Some('/' | '÷') => rates.scale(0.5),
            Some(letter) => rates.type_letter(letter),
            None => {}
        },
    }
    state.dialog = Some(Dialog::Rates(rates));
    Vec::new()
}

fn set_rates(state: &mut State, mut rates: Rates) -> Vec<Effect> {
    let changes = match rates.changes(&state.rates) {
        Ok(changes) => changes,
        Err(problem) => {
            rates.problem = Some(problem);
            state.dialog = Some(Dialog::Rates(rates));
            return Vec::new();
        }
    };
    changes
        .into_iter()
        .flat_map(|(network, value)| {
            commands::send(
                state,
                Command::Set {
                    key: network.rate_key().to_owned(),
                    value: value.into(),
                },
            )
        })
        .collect()
}

fn write(state: &mut State, mut note: String, key: KeyPress) -> Vec<Effect> {
    if key.code == KeyCode::Enter {
        let text = note.trim().to_owned();
        if text.is_empty() {
            return Vec::new();
        }
        return commands::send(state, Command::Note { text });
    }
    edit(&mut note, key);
    state.dialog = Some(Dialog::Note(note));
    Vec::new()
}

/// Enter without words looks on for those of before.
fn search(state: &mut State, mut words: String, key: KeyPress) -> Vec<Effect> {
    if key.code == KeyCode::Enter {
        if !words.is_empty() {
            state.look.sought = words;
        }
        if !state.look.sought.is_empty() {
            actions::search(state);
        }
        return Vec::new();
    }
    edit(&mut words, key);
    state.dialog = Some(Dialog::Search(words));
    Vec::new()
}

/// Types into a line, or takes the last letter back.
fn edit(line: &mut String, key: KeyPress) {
    if key.code == KeyCode::Backspace {
        line.pop();
    } else if let Some(letter) = key.typed() {
        extend_note(line, letter.encode_utf8(&mut [0; 4]));
    }
}
