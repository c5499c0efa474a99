//! What each action does.

use sparring_contract::protocol::{Command, Purpose};

use super::{commands, explore};
use crate::dashboard::keymap::Action;
use crate::dashboard::message::{Effect, Leave};
use crate::dashboard::state::{Dialog, Line, Panel, Rates, State, Weight, seconds};

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
        Action::Explore => return explore::open(state),
        Action::Rates | Action::Note | Action::Stop => ask(state, action),
        Action::Detach => return leave(state),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Search => state.dialog = Some(Dialog::Search(String::new())),
        Action::Warning => go_to(state, "no warning in the log", |line| {
            line.weight != Weight::Plain
        }),
        Action::Mouse => {
            state.look.mouse = !state.look.mouse;
            let text = if state.look.mouse {
                "the mouse chooses panels and scrolls; press the key again to select text with it"
            } else {
                "the mouse selects text again"
            };
            state.journal.write(state.now, Weight::Plain, text);
            return vec![Effect::Mouse(state.look.mouse)];
        }
        Action::Help => state.dialog = Some(Dialog::Help),
        Action::Fixed => state.gallery.showing = Purpose::Fixed,
        Action::Up => move_up(state),
        Action::Down => move_down(state),
        Action::Next => focus(state, 1),
        Action::Previous => focus(state, Panel::ORDER.len() - 1),
        Action::Enlarge => state.look.enlarged = !state.look.enlarged,
        Action::ZoomIn => state.look.zoom_in(seconds(&state.timeline.reports)),
        Action::ZoomOut => state.look.zoom_out(seconds(&state.timeline.reports)),
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
        move_chart(state, state.charts.count() - 1);
    }
}

fn move_down(state: &mut State) {
    if state.look.focus == Panel::Log {
        state.look.scrolled = state.look.scrolled.saturating_sub(1);
    } else {
        move_chart(state, 1);
    }
}

/// Scrolls the log to the next older line that is as wanted, and focuses it.
fn go_to(state: &mut State, nothing: &str, wanted: impl Fn(&Line) -> bool) {
    let is_there = state.look.focus == Panel::Log;
    let from = if is_there { state.look.scrolled + 1 } else { 0 };
    match state.journal.find_older(from, wanted) {
        Some(place) => {
            state.look.focus = Panel::Log;
            state.look.scrolled = place;
        }
        None => state.journal.write(state.now, Weight::Plain, nothing),
    }
}

/// Scrolls the log to the next older line with the words that are looked for, in small letters or large.
pub(super) fn search(state: &mut State) {
    let sought = state.look.sought.to_lowercase();
    let nothing = format!("not in the log: {sought}");
    go_to(state, &nothing, |line| {
        line.text.to_lowercase().contains(&sought)
    });
}

/// Focuses a panel, as Tab would.
pub(super) fn choose(state: &mut State, panel: Panel) {
    if state.look.focus != panel {
        state.look.focus = panel;
        state.look.scrolled = 0;
    }
}

/// Turns the wheel over a panel.
pub(super) fn scroll(state: &mut State, panel: Panel, up: bool) {
    if !matches!(panel, Panel::Log | Panel::Curves) {
        return;
    }
    choose(state, panel);
    if up {
        move_up(state);
    } else {
        move_down(state);
    }
}

/// Looks at the chart so many places on, around the ends. From a panel with nothing to choose the focus goes to the
/// curves, so that it is seen what the arrows change; an enlarged panel hides the curves and keeps it.
fn move_chart(state: &mut State, places: usize) {
    if state.look.focus != Panel::Curves {
        if state.look.enlarged {
            return;
        }
        state.look.focus = Panel::Curves;
    }
    state.look.chart = (state.look.chart + places) % state.charts.count();
}
