//! The two lines at the top: is it running, how far is it, how fast.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::ink::{Ink, Piece, cells, fit, inset, joined, put, shortened};
use super::spark;
use crate::dashboard::state::{Series, Standing, State, Tone};
use crate::dashboard::words::{UNKNOWN, figure, grouped, span, whole};

/// From here on there is room for words beside the figures.
const ROOMY: u16 = 110;
/// Cells of the throughput's course.
const COURSE: u16 = 14;
/// The bar of progress keeps this much, with its percents and the blanks beside it.
const LEAST_BAR: usize = 21;
/// The state word keeps this much room, so that its dot stays in place while short words change.
const WORD: usize = 10;

/// Who trains what where; how it stands, since when and for how long.
pub(super) fn identity(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let area = inset(area, 1);
    let width = usize::from(area.width);
    let mut right = right_side(state, ink, area.width >= ROOMY);
    let gap = if area.width >= 60 { 3 } else { 2 };
    // The name of the run and its state are what no screen is too narrow for.
    let name = state.name.width().min(24);
    let taken = fit(&mut right, width.saturating_sub(name + 2), gap);
    let mut left = left_side(state, ink);
    let room = width.saturating_sub(taken + 2);
    if fit(&mut left, room, 3) > room {
        left = vec![Piece::new(0, ink.bold(shortened(&state.name, room)))];
    }
    put(buffer, area, joined(left, &ink.dim(" ▏ ")));
    let taken = cells(taken).min(area.width);
    let place = Rect {
        x: area.right() - taken,
        width: taken,
        ..area
    };
    put(buffer, place, joined(right, &Span::raw(" ".repeat(gap))));
}

fn left_side<'a>(state: &State, ink: Ink) -> Vec<Piece<'a>> {
    let mut pieces = vec![
        Piece::new(4, ink.dim("sparring")),
        Piece::new(0, ink.bold(state.name.clone())),
    ];
    let Some(started) = &state.timeline.started else {
        return pieces;
    };
    pieces.push(Piece::new(
        2,
        format!("{} · {}", started.preset, started.data),
    ));
    pieces.push(Piece::new(
        3,
        format!("{} ×{} threads", started.device, started.threads),
    ));
    if state.read_only {
        pieces.push(Piece::new(1, Span::styled("watching", ink.theme.warning())));
    }
    pieces
}

fn right_side<'a>(state: &State, ink: Ink, roomy: bool) -> Vec<Piece<'a>> {
    let standing = state.standing();
    let style = ink.tone(standing.tone());
    let goes_on = matches!(standing.tone(), Tone::Good | Tone::Busy | Tone::Waiting);
    let width = if goes_on { WORD } else { 0 };
    let word = Line::from(Span::styled(
        format!("{} {:<width$}", dot(standing), standing.words()),
        style,
    ));
    let mut pieces = vec![Piece::new(0, word)];
    pieces.extend(alarm(state, ink).map(|alarm| Piece::new(0, alarm)));
    if let Some(detail) = state.detail() {
        pieces.push(Piece::new(2, Span::styled(shortened(&detail, 40), style)));
    }
    if let Some(next) = state.next() {
        pieces.push(Piece::new(1, ink.bold(next)));
    }
    let elapsed = state
        .stats()
        .map_or(f64::NAN, |stats| stats.training_seconds);
    let mut elapsed = format!("{:>7}", span(elapsed));
    if roomy {
        elapsed.push_str(" elapsed");
    }
    pieces.push(Piece::new(3, elapsed));
    if goes_on {
        let left = state.seconds_left().map_or(f64::NAN, |seconds| seconds);
        pieces.push(Piece::new(2, format!("ETA {:>7}", span(left))));
    }
    pieces
}

/// The verdict on the run, where it is one to look at: the word alone would not say so without colour.
pub(super) fn alarm<'a>(state: &State, ink: Ink) -> Option<Span<'a>> {
    let word = state.alarm()?;
    Some(Span::styled(format!("{word}!"), ink.theme.alarm()))
}

/// The state as a sign of one cell.
pub(super) fn dot(standing: Standing) -> &'static str {
    match standing.tone() {
        Tone::Good => "●",
        Tone::Busy => "○",
        Tone::Waiting => "◌",
        Tone::Over => "■",
        Tone::Alarm => "✖",
    }
}

/// How far the run is, and how fast.
pub(super) fn progress(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let area = inset(area, 1);
    let epoch = epoch(state);
    let mut figures = figures(state, ink, area.width >= ROOMY);
    let room = usize::from(area.width).saturating_sub(epoch.chars().count() + LEAST_BAR);
    let taken = fit(&mut figures, room, 3);
    put(buffer, area, epoch.clone());
    let after_epoch = area.x + cells(epoch.chars().count()) + 1;
    let figures_at = area.right().saturating_sub(cells(taken));
    let bar_area = Rect {
        x: after_epoch.min(area.right()),
        width: figures_at.saturating_sub(after_epoch + if taken > 0 { 3 } else { 0 }),
        ..area
    };
    bar(state, ink, bar_area, buffer);
    let place = Rect {
        x: figures_at,
        width: area.right() - figures_at,
        ..area
    };
    put(buffer, place, joined(figures, &Span::raw("   ")));
}

/// `epoch  12/1000`, as wide at the first epoch as at the last.
fn epoch(state: &State) -> String {
    let Some(started) = &state.timeline.started else {
        return format!("epoch {UNKNOWN}/{UNKNOWN}");
    };
    let all = started.epochs.to_string();
    let now = state.stats().map_or(0, |stats| stats.epoch);
    format!("epoch {now:>width$}/{all}", width = all.len())
}

fn figures<'a>(state: &State, ink: Ink, roomy: bool) -> Vec<Piece<'a>> {
    let last = state
        .started()
        .as_ref()
        .map_or(0, |started| started.last_step);
    let width = grouped(last).len();
    let speed = throughput(state);
    let mut pieces = vec![
        Piece::new(2, format!("step {:>width$}", grouped(state.step()))),
        Piece::new(1, format!("{:>6} img/s", speed_words(speed))),
    ];
    if roomy {
        pieces.push(Piece::new(3, spark::throughput(state, ink, COURSE)));
    }
    pieces
}

/// Images a second, in at most six letters.
pub(super) fn speed_words(speed: f64) -> String {
    if speed.is_finite() && (100.0..1_000_000.0).contains(&speed) {
        grouped(whole(speed))
    } else {
        figure(speed)
    }
}

/// The part that is done as a bar, and in percent. A run that does not move has a dim one.
pub(super) fn bar(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let part = state.progress();
    let percent = match part {
        Some(part) if part < 0.9995 => format!("{:>6.1}%", part * 100.0),
        Some(_) => format!("{:>7}", "100%"),
        None => format!("{UNKNOWN:>6}%"),
    };
    let width = area.width.saturating_sub(cells(percent.chars().count()));
    let halves = part.unwrap_or(0.0) * f64::from(width) * 2.0;
    let halves = usize::try_from(whole(halves.floor())).unwrap_or(0);
    let begun = usize::from(part.is_some_and(|part| part > 0.0) && halves == 0 && width > 0);
    let (full, half) = (halves / 2, (halves % 2).max(begun));
    let rest = usize::from(width).saturating_sub(full + half);
    let moving = matches!(state.standing(), Standing::Training | Standing::Saving);
    let style = if moving {
        ink.theme.good()
    } else {
        ink.theme.dim()
    };
    let line = Line::from(vec![
        Span::styled("━".repeat(full) + &"╸".repeat(half), style),
        ink.dim("─".repeat(rest)),
        Span::raw(percent),
    ]);
    put(buffer, area, line);
}

/// Images a second in the latest report.
pub(super) fn throughput(state: &State) -> f64 {
    state.latest(Series::Throughput)
}
