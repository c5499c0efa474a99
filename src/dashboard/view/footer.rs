//! The line of keys, from the same table that handles them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, Piece, fit, inset, joined, put};
use crate::dashboard::keymap::{Action, TABLE};
use crate::dashboard::state::{Dialog, Standing, State};

/// Draws the keys that do something now.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let area = inset(area, 1);
    let gap = if area.width >= 100 { 3 } else { 2 };
    let mut pieces = match &state.dialog {
        None => keys(state, ink),
        Some(dialog) => dialog_keys(state, dialog, ink),
    };
    fit(&mut pieces, usize::from(area.width), gap);
    put(buffer, area, joined(pieces, &Span::raw(" ".repeat(gap))));
}

fn keys<'a>(state: &State, ink: Ink) -> Vec<Piece<'a>> {
    TABLE
        .iter()
        .filter(|row| !row.short.is_empty() && is_of_use(state, row.action))
        .filter_map(|row| {
            let mut keys = state.keymap.label(row.action, !ink.unicode);
            if row.action == Action::Up {
                keys.push_str(if ink.unicode { "" } else { "/" });
                keys.push_str(&state.keymap.label(Action::Down, !ink.unicode));
            }
            let word = match (row.action, state.standing()) {
                (Action::Pause, Standing::Paused(_) | Standing::Pausing) => "go on",
                (Action::Enlarge, _) if state.look.enlarged => "put back",
                (Action::Detach, _) if !state.is_alive() => "leave",
                _ => row.short,
            };
            (!keys.is_empty()).then(|| Piece::new(rank(row.action), key(ink, keys, word)))
        })
        .collect()
}

/// A face that only watches, or has nobody to send a command to, has no use for the keys that do. Pictures are also drawn
/// from the checkpoint of a run that is over.
fn is_of_use(state: &State, action: Action) -> bool {
    let draws = action == Action::Sample && !state.is_alive();
    draws || !action.commands() || state.refusal().is_none()
}

/// What is left out first where there is no room: the ways to act and out stay longest.
fn rank(action: Action) -> u8 {
    match action {
        Action::Help => 0,
        Action::Stop | Action::Detach => 1,
        Action::Pause => 2,
        Action::Enlarge => 3,
        Action::Sample => 4,
        Action::Checkpoint => 5,
        Action::Rates => 6,
        Action::Fixed => 7,
        Action::Explore => 9,
        _ => 8,
    }
}

fn dialog_keys<'a>(state: &State, dialog: &Dialog, ink: Ink) -> Vec<Piece<'a>> {
    let keys: &[(&str, &str)] = match dialog {
        Dialog::Help => &[("Tab", "next panel"), ("Esc", "close")],
        Dialog::Stop => &[
            ("s", "save, stop"),
            ("w", "stop unsaved…"),
            ("d", "leave"),
            ("Esc", "back"),
        ],
        Dialog::Discard => &[("y", "stop unsaved"), ("Esc", "back")],
        Dialog::Rates(_) => &[("Enter", "set"), ("Esc", "back")],
        Dialog::Note(_) => &[("Enter", "write"), ("Esc", "back")],
        Dialog::Search(_) => &[("Enter", "next older"), ("Esc", "back")],
        Dialog::Explore(_) => &[
            ("←→↑↓", "move"),
            ("Enter", "keep"),
            ("s S", "seed"),
            ("a b", "directions"),
            ("0–9", "class"),
            ("Esc", "back"),
        ],
        Dialog::Died => &[("d", "leave"), ("Esc", "look on")],
    };
    let is_conditional = state.started().is_some_and(|started| started.conditional);
    (1..)
        .zip(keys)
        .filter(|(_, (_, word))| *word != "class" || is_conditional)
        .map(|(place, (name, word))| {
            // The way back is never left out.
            let rank = if *name == "Esc" { 0 } else { place };
            Piece::new(rank, key(ink, (*name).to_owned(), word))
        })
        .collect()
}

/// A key and what it does.
pub(super) fn key<'a>(ink: Ink, name: String, word: &str) -> Line<'a> {
    Line::from(vec![
        Span::styled(name, ink.theme.key()),
        Span::raw(format!(" {word}")),
    ])
}
