//! The help: every key from the table that handles it, and what the focused panel shows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::footer::key;
use super::frame::overlay;
use super::ink::{Ink, Piece, cells, centred, fit, joined, put, row, wrapped};
use super::teaching;
use crate::dashboard::keymap::{Binding, TABLE};
use crate::dashboard::state::State;

/// A column of the table: its keys, a blank, what they do.
const KEYS: usize = 11;
const COLUMN: u16 = 38;
/// The widest help, two columns with their edges.
const WIDTH: u16 = 2 * COLUMN + 4;

/// Draws the help over an area.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let rows = cells(TABLE.len().div_ceil(2));
    let teaching = teaching(state, usize::from(WIDTH.min(area.width)) - 4);
    let height = rows + cells(teaching.len()) + 4;
    if area.width < WIDTH || area.height < height {
        return flow(state, ink, area, buffer);
    }
    let place = centred(area, WIDTH, height);
    if area.width < WIDTH + 8 {
        // A thin strip beside it would look torn.
        Clear.render(area, buffer);
    }
    let inner = overlay("keys", ink, area, place, buffer);
    for (index, binding) in (0..).zip(TABLE) {
        let place = Rect {
            x: inner.x + index / rows * COLUMN,
            width: COLUMN,
            ..row(inner, index % rows)
        };
        put(buffer, place, entry(state, binding, ink));
    }
    let panel = state.look.focus.name();
    put(
        buffer,
        row(inner, rows + 1),
        Line::from(vec![
            Span::styled(format!("{panel} "), ink.theme.accent()),
            ink.dim("─".repeat(usize::from(inner.width).saturating_sub(panel.len() + 1))),
        ]),
    );
    for (index, line) in (0..).zip(teaching) {
        put(buffer, row(inner, rows + 2 + index), line);
    }
}

fn teaching(state: &State, width: usize) -> Vec<String> {
    teaching::of(state)
        .into_iter()
        .flat_map(|line| wrapped(&line, width))
        .collect()
}

/// As many keys of an action as have room; none says that the user took them all away.
fn names(state: &State, binding: &Binding, ink: Ink) -> String {
    let mut names = String::new();
    for key in state.keymap.keys(binding.action) {
        let label = key.label(!ink.unicode);
        let gap = if names.is_empty() { "" } else { ", " };
        if names.chars().count() + gap.len() + label.chars().count() > KEYS - 1 {
            break;
        }
        names.push_str(gap);
        names.push_str(&label);
    }
    if names.is_empty() {
        names.push('–');
    }
    names
}

fn entry<'a>(state: &State, binding: &Binding, ink: Ink) -> Line<'a> {
    Line::from(vec![
        Span::styled(
            format!("{:<KEYS$}", names(state, binding, ink)),
            ink.theme.key(),
        ),
        Span::raw(binding.help),
    ])
}

/// The help of a small screen: each action's first key and name, one after the other.
fn flow(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let inner = overlay("keys", ink, area, area, buffer);
    let width = usize::from(inner.width);
    let mut rest = TABLE.iter().filter_map(|binding| {
        let label = state.keymap.label(binding.action, !ink.unicode);
        let name = binding.name.replace('_', " ");
        (!label.is_empty()).then(|| Piece::new(1, key(ink, label, &name)))
    });
    let mut next = rest.next();
    for index in 0..inner.height {
        let mut line: Vec<Piece> = Vec::new();
        let mut taken = 0;
        while let Some(piece) = next.take() {
            let gap = if line.is_empty() { 0 } else { 2 };
            if taken + gap + piece.line.width() > width && !line.is_empty() {
                next = Some(piece);
                break;
            }
            taken += gap + piece.line.width();
            line.push(piece);
            next = rest.next();
        }
        fit(&mut line, width, 2);
        put(buffer, row(inner, index), joined(line, &Span::raw("  ")));
    }
}
