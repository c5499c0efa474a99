//! The panel of curves: sparklines with the latest figures, and a chart where there is room for one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::frame::Frame;
use super::ink::{Ink, put, row};
use super::{chart, spark};
use crate::dashboard::state::{Chart, Panel, State};
use crate::dashboard::words::figure;

/// Draws the panel.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let title = title(state, ink);
    let focused = state.look.focus == Panel::Curves;
    let inner = Frame::new(title, focused).draw(ink, area, buffer);
    let room = inner.height.saturating_sub(2) >= chart::LEAST_HEIGHT;
    // Where no chart has room, the sparklines show what it would.
    let sparks = if room {
        Chart::Losses
    } else {
        state.look.chart
    };
    lines(state, sparks, ink, inner, buffer);
    if room {
        let below = Rect {
            y: inner.y + 2,
            height: inner.height - 2,
            ..inner
        };
        chart::draw(state, state.look.chart, ink, below, buffer);
    }
}

fn title<'a>(state: &State, ink: Ink) -> Vec<Line<'a>> {
    let (_, window) = state.look.window(&state.history);
    let (_, smoothing) = state.look.smoothing();
    let mut title = vec![
        Line::from(ink.bold(state.look.chart.name())),
        Line::from(window),
        Line::from(smoothing),
    ];
    if state.look.log_axis {
        title.push(Line::from("log axis"));
    }
    title
}

/// A line for each curve: its letter, the latest figure as it was measured, and its course.
pub(super) fn lines(state: &State, chart: Chart, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let width = area.width.saturating_sub(9);
    for (index, curve) in (0..).zip(chart.curves()) {
        let course = spark::slices(state, curve.series, width);
        let latest = state
            .stats
            .map_or(f64::NAN, |stats| curve.series.of(&stats));
        let style = ink.series(curve.series);
        let line = Line::from(vec![
            Span::styled(format!("{:<1} ", curve.mark), style),
            ink.bold(format!("{:>6} ", figure(latest))),
            Span::styled(spark::text(&course), style),
        ]);
        put(buffer, row(area, index), line);
    }
}
