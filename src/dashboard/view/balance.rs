//! The panel that says how the duel stands.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::MetricKind;

use super::chart;
use super::frame::Frame;
use super::ink::{Ink, cells, put, row, shortened};
use crate::dashboard::state::{Chart, Curve, Panel, State};
use crate::dashboard::words::{UNKNOWN, figure, probability, whole};

/// Columns for the name of a bar.
const NAME: usize = 7;

/// Rows of bars and figures.
pub(super) const ROWS: u16 = 3;

/// Draws the panel, with charts of what it shows where there is room.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let focused = state.look.focus == Panel::Balance;
    let inner = Frame::new(title(state, ink), focused).draw(ink, area, buffer);
    let bars = ROWS - 1;
    let probabilities = curves(state, MetricKind::Probability);
    for (index, curve) in (0..bars).zip(probabilities) {
        bar(state, curve, ink, row(inner, index), buffer);
    }
    put(buffer, row(inner, bars), figures(state, ink, inner.width));
    charts(state, ink, inner, buffer);
}

/// The curves of all metrics of a kind.
fn curves(state: &State, kind: MetricKind) -> &[Curve] {
    state
        .charts
        .of_kind(kind)
        .map_or(&[], |chart| &chart.curves)
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

/// A probability as a bar, with a mark at its value at the equilibrium.
fn bar(state: &State, curve: &Curve, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let value = state.latest(curve.series);
    let style = ink.hue(curve.hue);
    let name = shortened(&curve.label, NAME);
    let head = Line::from(vec![
        Span::styled(format!("{name:<NAME$} "), style),
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
    put(buffer, rest, track(value, rest.width, ink, style));
    let Some(ideal) = curve.ideal.filter(|ideal| (0.0..=1.0).contains(ideal)) else {
        return;
    };
    let column = whole((ideal * f64::from(rest.width)).floor());
    let column = u16::try_from(column).unwrap_or(u16::MAX).min(rest.width);
    let mark = Rect {
        x: rest.x + column,
        width: rest.width.saturating_sub(column).min(1),
        ..rest
    };
    put(buffer, mark, Span::styled("┃", ink.theme.title()));
}

/// The bar.
fn track<'a>(value: f64, width: u16, ink: Ink, style: Style) -> Line<'a> {
    let part = if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let halves = usize::try_from(whole(part * f64::from(width) * 2.0)).unwrap_or(0);
    let (full, half) = (halves / 2, halves % 2);
    let rest = usize::from(width).saturating_sub(full + half);
    Line::from(vec![
        Span::styled("━".repeat(full) + &"╸".repeat(half), style),
        ink.dim("─".repeat(rest)),
    ])
}

/// D's lead and the gradient norms.
fn figures<'a>(state: &State, ink: Ink, width: u16) -> Line<'a> {
    let (name, gap) = if width >= 46 {
        ("gradient norm  ", "   ")
    } else {
        ("grad ", " ")
    };
    let mut line = Line::default();
    if !curves(state, MetricKind::Probability).is_empty() {
        let lead = state
            .verdict()
            .map_or_else(|| UNKNOWN.to_owned(), |verdict| signed(verdict.lead));
        line.push_span(ink.dim("lead "));
        line.push_span(ink.bold(format!("{lead:>4}")));
        line.push_span(gap);
    }
    let norms = curves(state, MetricKind::Norm);
    if !norms.is_empty() {
        line.push_span(ink.dim(name));
    }
    for (index, curve) in norms.iter().enumerate() {
        if index > 0 {
            line.push_span(gap);
        }
        let mark = format!("{} ", curve.mark);
        line.push_span(Span::styled(mark, ink.hue(curve.hue)));
        let value = figure(state.latest(curve.series));
        line.push_span(ink.bold(format!("{value:>5}")));
    }
    line
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
    let most = if inner.width >= 66 { 2 } else { 1 };
    let charts: Vec<&Chart> = [MetricKind::Probability, MetricKind::Norm]
        .into_iter()
        .filter_map(|kind| state.charts.of_kind(kind))
        .take(most)
        .collect();
    let each = inner.width / cells(charts.len()).max(1);
    for (index, shown) in (0..).zip(charts) {
        let part = Rect {
            x: inner.x + index * each,
            y: inner.y + ROWS + 1,
            width: each,
            height: room,
        };
        put(buffer, row(part, 0), ink.dim(shown.name.clone()));
        let below = Rect {
            y: part.y + 1,
            height: part.height.saturating_sub(1),
            ..part
        };
        chart::draw(state, shown, ink, below, buffer);
    }
}
