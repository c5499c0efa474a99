//! Dialogues over the panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::frame::overlay;
use super::ink::{Ink, cells, centred, put, row, shortened, wrapped};
use crate::dashboard::state::{Connection, Dialog, InForce, Network, Rates, State};
use crate::dashboard::words::{UNKNOWN, grouped, rate};

/// The width of a dialogue, where there is room.
const WIDTH: u16 = 60;
/// Lines of a dead worker's log.
const LAST_WORDS: usize = 8;

/// Draws the open dialogue over an area.
pub(super) fn draw(state: &State, dialog: &Dialog, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(WIDTH.min(area.width).saturating_sub(4));
    let (title, lines) = match dialog {
        Dialog::Help => return super::help::draw(state, ink, area, buffer),
        Dialog::Stop => ("end the run", stop(state, ink, room)),
        Dialog::Discard => ("stop without saving?", discard(state, ink, room)),
        Dialog::Rates(rates) => (
            "learning rates",
            learning_rates(rates, &state.rates, ink, room),
        ),
        Dialog::Note(note) => ("a note for the log", note_lines(note, ink, room)),
        Dialog::Search(words) => ("search the log", search_lines(state, words, ink, room)),
        Dialog::Explore(explorer) => {
            return super::explorer::draw(state, explorer, ink, area, buffer);
        }
        Dialog::Died => return died(state, ink, area, buffer),
    };
    in_box(title, lines, WIDTH, ink, area, buffer);
}

fn in_box(title: &str, lines: Vec<Line>, width: u16, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let place = centred(area, width, cells(lines.len()) + 2);
    let inner = overlay(title, ink, area, place, buffer);
    for (index, line) in (0..).zip(lines) {
        put(buffer, row(inner, index), line);
    }
}

/// A key and what it chooses, in as many lines as that takes.
fn choice<'a>(ink: Ink, room: usize, key: &str, words: &str) -> Vec<Line<'a>> {
    let mut lines = wrapped(words, room.saturating_sub(5)).into_iter();
    let first = lines.next().unwrap_or_default();
    let head = Line::from(vec![
        Span::styled(format!("{key:<5}"), ink.theme.key()),
        Span::raw(first),
    ]);
    std::iter::once(head)
        .chain(lines.map(|line| Line::from(format!("     {line}"))))
        .collect()
}

fn stop<'a>(state: &State, ink: Ink, room: usize) -> Vec<Line<'a>> {
    [
        ("s", "save and stop".to_owned()),
        ("w", format!("stop without saving: {}", lost(state))),
        ("d", "leave; training goes on".to_owned()),
        ("Esc", "back".to_owned()),
    ]
    .into_iter()
    .flat_map(|(key, words)| choice(ink, room, key, &words))
    .collect()
}

fn discard<'a>(state: &State, ink: Ink, room: usize) -> Vec<Line<'a>> {
    [
        ("y", format!("yes, stop now: {}", lost(state))),
        ("Esc", "no, go on training".to_owned()),
    ]
    .into_iter()
    .flat_map(|(key, words)| choice(ink, room, key, &words))
    .collect()
}

/// What stopping without saving loses, in words.
fn lost(state: &State) -> String {
    match (state.timeline.saved(), state.unsaved()) {
        (None, 0) => "loses nothing yet".to_owned(),
        (None, steps) => format!("loses all {} steps", grouped(steps)),
        (Some(_), 0) => "loses nothing".to_owned(),
        (Some(_), 1) => "loses 1 step".to_owned(),
        (Some(_), steps) => format!("loses {} steps", grouped(steps)),
    }
}

fn learning_rates<'a>(rates: &Rates, in_force: &InForce, ink: Ink, room: usize) -> Vec<Line<'a>> {
    let mut lines: Vec<_> = Network::BOTH
        .into_iter()
        .map(|network| rate_line(network, rates, in_force, ink))
        .collect();
    lines.push(Line::default());
    let (words, style) = match &rates.problem {
        Some(problem) => (problem.as_str(), ink.theme.warning()),
        None => (
            "↑↓ choose, type a number, × or ÷ doubles or halves it. Enter sets both.",
            ink.theme.dim(),
        ),
    };
    lines.extend(
        wrapped(words, room)
            .into_iter()
            .map(|part| Line::from(Span::styled(part, style))),
    );
    lines
}

fn rate_line<'a>(network: Network, rates: &Rates, in_force: &InForce, ink: Ink) -> Line<'a> {
    let style = match network {
        Network::Generator => ink.theme.generator(),
        Network::Discriminator => ink.theme.discriminator(),
    };
    let chosen = rates.chosen == network;
    let (mark, cursor) = if chosen { ("▸ ", "▏") } else { ("  ", " ") };
    let typed = rates.typed(network).to_owned();
    let pad = 9_usize.saturating_sub(typed.width());
    let now = in_force
        .of(network)
        .map_or_else(|| UNKNOWN.to_owned(), rate);
    let value = if chosen {
        ink.bold(typed)
    } else {
        Span::raw(typed)
    };
    Line::from(vec![
        Span::styled(mark, ink.theme.accent()),
        Span::styled(format!("{:<14}", network.name()), style),
        value,
        Span::styled(cursor, ink.theme.accent()),
        Span::raw(" ".repeat(pad)),
        ink.dim(format!("now {now}")),
    ])
}

/// The note with its end in sight, however long it is.
fn note_lines<'a>(note: &str, ink: Ink, room: usize) -> Vec<Line<'a>> {
    let mut lines = wrapped(note, room.saturating_sub(1));
    // What was typed is shown as it is: wrapping drops a blank at the end.
    if note.ends_with(' ')
        && let Some(last) = lines.last_mut()
    {
        last.push(' ');
    }
    let shown = lines.len().saturating_sub(4);
    let mut lines: Vec<_> = lines.drain(shown..).map(Line::from).collect();
    if let Some(last) = lines.last_mut() {
        last.push_span(Span::styled("▏", ink.theme.accent()));
    }
    lines
}

/// The words to look for, or those that Enter alone looks for again.
fn search_lines<'a>(state: &State, words: &str, ink: Ink, room: usize) -> Vec<Line<'a>> {
    let mut lines = note_lines(words, ink, room);
    if words.is_empty() && !state.look.sought.is_empty() {
        let again = format!("Enter looks for {} again", state.look.sought);
        lines.push(Line::from(ink.dim(shortened(&again, room))));
    }
    lines
}

/// A worker that died: how, its last words, and what to do next.
fn died(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let Connection::Died { status, log } = &state.connection else {
        return;
    };
    let width = area.width.min(100);
    let room = usize::from(width.saturating_sub(4));
    let mut lines = vec![Line::from(Span::styled(
        shortened(status, room),
        ink.theme.alarm(),
    ))];
    if !log.is_empty() {
        lines.push(Line::from(ink.dim("its last words in worker.log:")));
    }
    let shown = log.len().saturating_sub(LAST_WORDS);
    lines.extend(
        log.iter()
            .skip(shown)
            .map(|line| Line::from(shortened(line, room))),
    );
    lines.push(Line::default());
    let resumed = state.started().is_some_and(|started| started.step > 0);
    lines.push(Line::from(match state.timeline.saved() {
        Some(saved) => format!("go on from step {}:", grouped(saved.step)),
        None if resumed => "go on from its newest checkpoint:".to_owned(),
        None => "no checkpoint was saved; begin again:".to_owned(),
    }));
    if let Some(next) = state.next() {
        lines.push(Line::from(ink.bold(shortened(&next, room))));
    }
    // Where there is no room for everything, its last words go first.
    let rows = usize::from(area.height.saturating_sub(2));
    while lines.len() > rows.max(4) && lines.len() > 5 {
        lines.remove(2);
    }
    in_box("the worker is gone", lines, width, ink, area, buffer);
}
