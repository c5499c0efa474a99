//! Keys, when no dialogue is open.

use super::actions::{act, leave};
use super::dialogs;
use crate::dashboard::key::KeyPress;
use crate::dashboard::keymap::Action;
use crate::dashboard::message::Effect;
use crate::dashboard::state::State;

pub(super) fn press(state: &mut State, key: KeyPress) -> Vec<Effect> {
    let action = state.keymap.action(key);
    if let Some(effects) = everywhere(state, key, action) {
        return effects;
    }
    match state.dialog.take() {
        Some(dialog) => dialogs::press(state, dialog, key, action),
        None => action.map_or_else(Vec::new, |action| act(state, action)),
    }
}

/// What works under every dialogue: the ways out, and help against a broken screen.
fn everywhere(state: &State, key: KeyPress, action: Option<Action>) -> Option<Vec<Effect>> {
    if key.typed().is_some() {
        return None;
    }
    match action? {
        Action::Detach => Some(leave(state)),
        Action::Redraw => Some(vec![Effect::Redraw]),
        Action::Suspend => Some(vec![Effect::Suspend]),
        _ => None,
    }
}
