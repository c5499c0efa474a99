//! The panel that says how the duel stands.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::chart;
use super::frame::Frame;
use super::ink::{Ink, cells, put, row};
use crate::dashboard::state::{Chart, Panel, Series, State};
use crate::dashboard::words::{UNKNOWN, figure, probability, whole};

/// Rows of bars and figures.
pub(super) const ROWS: u16 = 3;

/// Draws the panel, with charts of what it shows where there is room.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let focused = state.look.focus == Panel::Balance;
    let inner = Frame::new(title(state, ink), focused).draw(ink, area, buffer);
    bar(state, "D(x)", Series::DReal, ink, row(inner, 0), buffer);
    bar(state, "D(G(z))", Series::DFake, ink, row(inner, 1), buffer);
    put(buffer, row(inner, 2), figures(state, ink, inner.width));
    charts(state, ink, inner, buffer);
}

fn title<'a>(state: &State, ink: Ink) -> Vec<Line<'a>> {
    let name = Line::from(ink.bold("balance"));
    match state.verdict() {
        Some(verdict) => vec![
            name,
            Line::from(Span::styled(verdict.words, ink.health(verdict.health))),
        ],
        None => vec![name],
    }
}

/// A probability as a bar, with a mark at the ½ of the equilibrium.
fn bar(state: &State, name: &str, series: Series, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let value = state.stats.map_or(f64::NAN, |stats| series.of(&stats));
    let head = Line::from(vec![
        Span::styled(format!("{name:<8}"), ink.series(series)),
        ink.bold(probability(value)),
        Span::raw(" "),
    ]);
    let taken = cells(head.width());
    put(buffer, area, head);
    let rest = Rect {
        x: (area.x + taken).min(area.right()),
        width: area.width.saturating_sub(taken),
        ..area
    };
    let (line, half) = track(value, rest.width, ink, ink.series(series));
    put(buffer, rest, line);
    let mark = Rect {
        x: rest.x + half,
        width: rest.width.saturating_sub(half).min(1),
        ..rest
    };
    put(buffer, mark, Span::styled("┃", ink.theme.title()));
}

/// The bar, and the column of its middle.
fn track<'a>(value: f64, width: u16, ink: Ink, style: Style) -> (Line<'a>, u16) {
    let part = if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let halves = usize::try_from(whole(part * f64::from(width) * 2.0)).unwrap_or(0);
    let (full, half) = (halves / 2, halves % 2);
    let rest = usize::from(width).saturating_sub(full + half);
    let line = Line::from(vec![
        Span::styled("━".repeat(full) + &"╸".repeat(half), style),
        ink.dim("─".repeat(rest)),
    ]);
    (line, width / 2)
}

fn figures<'a>(state: &State, ink: Ink, width: u16) -> Line<'a> {
    let of = |series: Series| {
        let value = state.stats.map_or(f64::NAN, |stats| series.of(&stats));
        format!("{:>5}", figure(value))
    };
    let lead = state
        .verdict()
        .map_or_else(|| UNKNOWN.to_owned(), |verdict| signed(verdict.lead));
    let (norm, gap) = if width >= 46 {
        ("gradient norm  ", "   ")
    } else {
        ("grad ", " ")
    };
    Line::from(vec![
        ink.dim("lead "),
        ink.bold(format!("{lead:>4}")),
        Span::raw(gap),
        ink.dim(norm),
        Span::styled("D ", ink.theme.discriminator()),
        ink.bold(of(Series::DGradient)),
        Span::raw(gap),
        Span::styled("G ", ink.theme.generator()),
        ink.bold(of(Series::GGradient)),
    ])
}

/// A lead with its sign: `+.40`.
fn signed(lead: f64) -> String {
    let sign = if lead < 0.0 { "-" } else { "+" };
    format!("{sign}{}", probability(lead.abs()))
}

/// One chart below the bars, or two side by side.
fn charts(state: &State, ink: Ink, inner: Rect, buffer: &mut Buffer) {
    let room = inner.height.saturating_sub(ROWS + 1);
    if room < chart::LEAST_HEIGHT + 1 {
        return;
    }
    let charts: &[Chart] = if inner.width >= 66 {
        &[Chart::Probabilities, Chart::Gradients]
    } else {
        &[Chart::Probabilities]
    };
    let each = inner.width / cells(charts.len());
    for (index, kind) in (0..).zip(charts) {
        let part = Rect {
            x: inner.x + index * each,
            y: inner.y + ROWS + 1,
            width: each,
            height: room,
        };
        put(buffer, row(part, 0), ink.dim(kind.name()));
        let below = Rect {
            y: part.y + 1,
            height: part.height.saturating_sub(1),
            ..part
        };
        chart::draw(state, *kind, ink, below, buffer);
    }
}
