//! Keys, when no dialogue is open.

use sparring_contract::protocol::{Command, Purpose};

use super::{commands, dialogs};
use crate::dashboard::key::KeyPress;
use crate::dashboard::keymap::Action;
use crate::dashboard::message::{Effect, Leave};
use crate::dashboard::state::{Dialog, Panel, Rates, State, Weight};

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

pub(super) fn leave(state: &State) -> Vec<Effect> {
    vec![Effect::Quit(if state.is_alive() {
        Leave::Training
    } else {
        Leave::Over
    })]
}

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Pause => return commands::toggle_pause(state),
        Action::Step => return commands::send(state, Command::Step { steps: 1 }),
        Action::Sample => return commands::sample(state),
        Action::Checkpoint => return commands::checkpoint(state),
        Action::Rates | Action::Note | Action::Stop => ask(state, action),
        Action::Detach => return leave(state),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Help => state.dialog = Some(Dialog::Help),
        Action::Fixed => state.gallery.showing = Purpose::Fixed,
        Action::Up => move_up(state),
        Action::Down => move_down(state),
        Action::Next => focus(state, 1),
        Action::Previous => focus(state, Panel::ORDER.len() - 1),
        Action::Enlarge => state.look.enlarged = !state.look.enlarged,
        Action::ZoomIn => state.look.zoom_in(&state.history),
        Action::ZoomOut => state.look.zoom_out(&state.history),
        Action::LogAxis => state.look.log_axis = !state.look.log_axis,
        Action::Smoothing => state.look.smooth_next(),
        Action::Back => state.look.enlarged = false,
    }
    Vec::new()
}

/// Opens a dialogue that ends in a command; where no command can be sent, says why at once.
fn ask(state: &mut State, action: Action) {
    if let Some(why) = state.refusal() {
        let name = action.binding().name;
        let text = format!("{name}: {why}");
        state.journal.write(state.now, Weight::Warning, text);
        return;
    }
    state.dialog = Some(match action {
        Action::Rates => Dialog::Rates(Rates::new(&state.rates)),
        Action::Note => Dialog::Note(String::new()),
        _ => Dialog::Stop,
    });
}

fn focus(state: &mut State, places: usize) {
    state.look.focus = state.look.focus.after(places);
    state.look.scrolled = 0;
}

fn move_up(state: &mut State) {
    if state.look.focus == Panel::Log {
        let last = state.journal.len().saturating_sub(1);
        state.look.scrolled = (state.look.scrolled + 1).min(last);
    } else {
        state.look.chart = state.look.chart.before();
    }
}

fn move_down(state: &mut State) {
    if state.look.focus == Panel::Log {
        state.look.scrolled = state.look.scrolled.saturating_sub(1);
    } else {
        state.look.chart = state.look.chart.after(1);
    }
}
