//! The panel of curves: sparklines with the latest figures, and a chart where there is room for one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::frame::Frame;
use super::ink::{Ink, cells, put, row};
use super::{chart, spark};
use crate::dashboard::state::{Chart, Panel, State, seconds};
use crate::dashboard::words::figure;

/// Sparklines above a chart, at most.
const MOST_SPARKS: u16 = 4;

/// Draws the panel.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let title = title(state, ink);
    let focused = state.look.focus == Panel::Curves;
    let inner = Frame::new(title, focused).draw(ink, area, buffer);
    let above = cells(state.chart().curves.len()).min(MOST_SPARKS);
    let below = inner.height.saturating_sub(above);
    if below < chart::LEAST_HEIGHT {
        // Where no chart has room, the sparklines show what it would.
        return lines(state, state.chart(), ink, inner, buffer);
    }
    let sparks = Rect {
        height: above,
        ..inner
    };
    lines(state, state.chart(), ink, sparks, buffer);
    let place = Rect {
        y: inner.y + above,
        height: below,
        ..inner
    };
    chart::draw(state, state.chart(), ink, place, buffer);
}

fn title<'a>(state: &State, ink: Ink) -> Vec<Line<'a>> {
    let (_, window) = state.look.window(seconds(&state.timeline.reports));
    let (_, smoothing) = state.look.smoothing();
    let mut title = vec![
        Line::from(ink.bold(state.chart().name.clone())),
        Line::from(window),
        Line::from(smoothing),
    ];
    if state.look.log_axis {
        title.push(Line::from("log axis"));
    }
    title
}

/// A line for each curve: its letter, the latest figure as it was measured, and its course.
pub(super) fn lines(state: &State, chart: &Chart, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let width = area.width.saturating_sub(9);
    for (index, curve) in (0..).zip(&chart.curves) {
        let course = spark::slices(state, curve.series, width);
        let latest = state.latest(curve.series);
        let style = ink.hue(curve.hue);
        let line = Line::from(vec![
            Span::styled(format!("{:<1} ", curve.mark), style),
            ink.bold(format!("{:>6} ", figure(latest))),
            Span::styled(spark::text(&course), style),
        ]);
        put(buffer, row(area, index), line);
    }
}
