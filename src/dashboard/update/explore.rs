//! A walk through the latent space: keys, and what the worker answers.

use crossterm::event::KeyCode;
use sparring_contract::protocol::{Command, Outcome, Pictures};

use super::commands;
use crate::dashboard::key::KeyPress;
use crate::dashboard::message::Effect;
use crate::dashboard::state::{Axis, Dialog, Explorer, State, plain};

/// Opens the explorer and asks for its first pictures.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let explorer = Explorer::new();
    let effects = commands::send(state, Command::Explore(explorer.place.clone()));
    if !effects.is_empty() {
        state.dialog = Some(Dialog::Explore(Box::new(explorer)));
    }
    effects
}

/// A key while the explorer is open, which was taken out of the state.
pub(super) fn press(state: &mut State, mut explorer: Box<Explorer>, key: KeyPress) -> Vec<Effect> {
    let moved = match (key.code, key.typed()) {
        (KeyCode::Left, _) => explorer.go(Axis::Across, false),
        (KeyCode::Right, _) => explorer.go(Axis::Across, true),
        (KeyCode::Down, _) => explorer.go(Axis::Up, false),
        (KeyCode::Up, _) => explorer.go(Axis::Up, true),
        (KeyCode::Enter, _) => {
            let place = explorer.place.clone();
            state.dialog = Some(Dialog::Explore(explorer));
            return commands::send(state, Command::Keep(place));
        }
        (_, Some(letter)) => match letter {
            'a' => turned(&mut explorer, Axis::Across),
            'b' => turned(&mut explorer, Axis::Up),
            's' => reseeded(&mut explorer, true),
            'S' => reseeded(&mut explorer, false),
            '0'..='9' => {
                explorer.place.class = letter.to_digit(10).map(u64::from);
                true
            }
            'e' => return Vec::new(),
            _ => false,
        },
        _ => false,
    };
    let place = explorer.place.clone();
    state.dialog = Some(Dialog::Explore(explorer));
    if moved {
        commands::send(state, Command::Explore(place))
    } else {
        Vec::new()
    }
}

fn turned(explorer: &mut Explorer, axis: Axis) -> bool {
    explorer.turn(axis);
    true
}

fn reseeded(explorer: &mut Explorer, forwards: bool) -> bool {
    explorer.reseed(forwards);
    true
}

/// Takes in pictures, if the explorer is open and they are its own.
pub(super) fn see(state: &mut State, pictures: &Pictures) {
    if let Some(Dialog::Explore(explorer)) = &mut state.dialog {
        explorer.see(pictures);
    }
}

/// Takes in the answer to one of its commands. Returns whether it was one.
pub(super) fn answered(state: &mut State, command: &Command, outcome: &Outcome) -> bool {
    let is_mine = matches!(command, Command::Explore(_) | Command::Keep(_));
    if let (true, Some(Dialog::Explore(explorer))) = (is_mine, &mut state.dialog) {
        match (command, outcome) {
            (Command::Explore(_), Outcome::Done { detail }) => {
                let names = detail.as_deref().unwrap_or_default().split(',');
                explorer.learn(names.map(plain).collect());
            }
            (_, Outcome::Done { detail }) => explorer.kept = detail.as_deref().map(plain),
            (_, Outcome::Refused { reason }) => {
                // The class is what can be one that the run does not have.
                explorer.place.class = None;
                explorer.problem = Some(plain(reason));
            }
            (_, Outcome::Unknown) => {}
        }
        return true;
    }
    false
}
