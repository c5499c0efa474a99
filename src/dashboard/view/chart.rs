//! A chart: curves over time between two axes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::axis::{Axis, Range};
use super::ink::{Ink, put, row};
use super::plot::Plot;
use crate::dashboard::state::{Chart, Curve, Slice, State};

/// Columns for the labels of the upright axis.
const LABELS: u16 = 6;
/// Columns right of the curves for their marks.
const MARKS: u16 = 2;
/// Rows below the curves: the axis and its labels.
const FOOT: u16 = 2;

/// A chart needs this much, or it is not worth drawing.
pub(super) const LEAST_HEIGHT: u16 = 3 + FOOT;
const LEAST_WIDTH: u16 = LABELS + 12 + MARKS;

/// Draws the course of some series over the time that is looked at.
pub(super) fn draw(state: &State, chart: Chart, ink: Ink, area: Rect, buffer: &mut Buffer) {
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        return;
    }
    let plot = Rect {
        x: area.x + LABELS,
        width: area.width - LABELS - MARKS,
        height: area.height - FOOT,
        ..area
    };
    let curves: Vec<_> = chart
        .curves()
        .iter()
        .map(|curve| {
            (
                *curve,
                super::spark::slices(state, curve.series, plot.width * 2),
            )
        })
        .collect();
    let axis = axis(state, chart, &curves, plot.height);
    upright(axis.as_ref(), ink, area, plot, buffer);
    along(state, ink, area, plot, buffer);
    let Some(axis) = axis else {
        let words = if state.look.log_axis && state.history.last().is_some() {
            "nothing above 0 to show on a logarithmic axis"
        } else {
            "curves come with the first reports"
        };
        put(
            buffer,
            row(plot, plot.height / 2),
            ink.dim(format!(" {words}")),
        );
        return;
    };
    if chart == Chart::Probabilities {
        equilibrium(&axis, ink, plot, buffer);
    }
    let mut grid = Plot::new(plot.width, plot.height);
    let mut ends = Vec::new();
    for (curve, slices) in &curves {
        if let Some(end) = grid.curve(slices, &axis, ink.series(curve.series)) {
            ends.push((*curve, end));
        }
    }
    grid.draw(plot, buffer);
    mark_ends(ends, ink, plot, buffer);
}

fn axis(state: &State, chart: Chart, curves: &[(Curve, Vec<Slice>)], height: u16) -> Option<Axis> {
    let values = curves
        .iter()
        .flat_map(|(_, slices)| slices.iter().filter_map(|slice| slice.mean()));
    if state.look.log_axis {
        return Range::of(values.filter(|value| *value > 0.0)).and_then(Axis::logarithmic);
    }
    let range = Range::of(values)?;
    let marks = (height / 3).clamp(1, 5);
    Some(match chart {
        Chart::Probabilities => Axis::linear(
            Range {
                low: 0.0,
                high: 1.0,
            },
            marks,
        ),
        _ => Axis::linear(range, marks),
    })
}

/// The upright axis, with as many labels as have a row of their own.
fn upright(axis: Option<&Axis>, ink: Ink, area: Rect, plot: Rect, buffer: &mut Buffer) {
    let width = usize::from(LABELS) - 1;
    for y in 0..=plot.height {
        let glyph = if y == plot.height { "└" } else { "│" };
        let line = format!("{:>width$}{glyph}", "");
        put(buffer, row(area, y), ink.dim(line));
    }
    let Some(axis) = axis else { return };
    let mut taken = None;
    for mark in axis.marks() {
        let Some(y) = axis.row(mark, plot.height) else {
            continue;
        };
        if taken.is_some_and(|above: u16| y + 1 >= above) {
            continue;
        }
        taken = Some(y);
        let line = format!("{:>width$}┤", axis.label(mark));
        put(buffer, row(area, y), ink.dim(line));
    }
}

/// The axis of time. Its right end is the newest report.
fn along(state: &State, ink: Ink, area: Rect, plot: Rect, buffer: &mut Buffer) {
    let (window, _) = state.look.window(&state.history);
    let parts: u16 = if plot.width >= 44 { 3 } else { 1 };
    let line = Rect {
        x: plot.x,
        width: plot.width,
        ..row(area, plot.height)
    };
    put(buffer, line, ink.dim("─".repeat(usize::from(plot.width))));
    for part in 0..=parts {
        let x = plot.x + (plot.width - 1) * part / parts;
        let at = |width: u16, back: u16| Rect {
            x: x.saturating_sub(back).max(area.x),
            width,
            ..line
        };
        put(buffer, at(1, 0), ink.dim("┬"));
        let back = window * f64::from(parts - part) / f64::from(parts);
        let label = back_in_time(back);
        let width = super::ink::cells(label.chars().count());
        let centre = if part == parts { width - 1 } else { width / 2 };
        let label_row = Rect {
            y: row(area, plot.height + 1).y,
            ..at(width, centre)
        };
        put(buffer, label_row, ink.dim(label));
    }
}

/// The ½ that both probabilities come to at the game's optimum.
fn equilibrium(axis: &Axis, ink: Ink, plot: Rect, buffer: &mut Buffer) {
    if let Some(y) = axis.row(0.5, plot.height) {
        let line = "╌".repeat(usize::from(plot.width));
        put(buffer, row(plot, y), ink.dim(line));
    }
}

fn back_in_time(seconds: f64) -> String {
    let whole = crate::dashboard::words::whole(seconds);
    match whole {
        0 => "now".to_owned(),
        1..120 if !whole.is_multiple_of(60) => format!("−{whole} s"),
        1..7200 => format!("−{} min", whole.div_ceil(60)),
        7200..172_800 => format!("−{} h", whole.div_ceil(3600)),
        _ => format!("−{} days", whole.div_ceil(86_400)),
    }
}

/// Each curve's letter, right of where it ends; two that end in one row stand one above the other.
fn mark_ends(mut ends: Vec<(Curve, u16)>, ink: Ink, plot: Rect, buffer: &mut Buffer) {
    ends.sort_by_key(|(_, end)| *end);
    let mut next = 0;
    let count = super::ink::cells(ends.len());
    for (index, (curve, end)) in (0..).zip(ends) {
        let last = plot.height.saturating_sub(count - index);
        let y = end.max(next).min(last);
        next = y + 1;
        let place = Rect {
            x: plot.right() + 1,
            width: 1,
            ..row(plot, y)
        };
        put(
            buffer,
            place,
            Span::styled(curve.mark, ink.series(curve.series)),
        );
    }
}
