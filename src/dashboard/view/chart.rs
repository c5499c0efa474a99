//! A chart: curves over time between two axes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use sparring_contract::protocol::{MetricKind, Reference};
use unicode_width::UnicodeWidthStr as _;

use super::axis::{Axis, Range};
use super::ink::{Ink, put, row};
use super::plot::Plot;
use super::spark;
use crate::dashboard::state::{Chart, Slice, State, seconds};

/// Columns for the labels of the upright axis.
const LABELS: u16 = 6;
/// Columns for the marks right of the curves.
const MARKS: u16 = 2;
/// Rows below the curves: the axis and its labels.
const FOOT: u16 = 2;

/// The smallest chart worth drawing.
pub(super) const LEAST_HEIGHT: u16 = 3 + FOOT;
const LEAST_WIDTH: u16 = LABELS + 12 + MARKS;

/// A curve to draw.
struct Course {
    mark: String,
    style: Style,
    slices: Vec<Slice>,
    /// The value at the equilibrium.
    ideal: Option<f64>,
    /// What a plain method reaches.
    reference: Option<Reference>,
}

/// What a chart shows, between which axes.
struct Drawing {
    courses: Vec<Course>,
    axis: Option<Axis>,
    /// Seconds from the left end to the right.
    window: f64,
    /// What is said where there is nothing to draw.
    nothing: &'static str,
}

/// Draws the course of some series over the time that is looked at.
pub(super) fn draw(state: &State, chart: &Chart, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let Some(plot) = plot(area) else { return };
    let courses: Vec<_> = chart
        .curves
        .iter()
        .map(|curve| Course {
            mark: curve.mark.clone(),
            style: ink.hue(curve.hue),
            slices: spark::slices(state, curve.series, plot.width * 2),
            ideal: curve.ideal,
            reference: curve.reference.clone(),
        })
        .collect();
    let drawing = Drawing {
        axis: axis(state, chart, &courses, plot.height),
        courses,
        window: state.look.window(seconds(&state.timeline.reports)).0,
        nothing: if state.look.log_axis && state.timeline.reports.last().is_some() {
            "nothing above 0 to show on a logarithmic axis"
        } else {
            "curves come with the first reports"
        },
    };
    drawing.draw(ink, area, plot, buffer);
}

/// Draws the quality curve since the run began, on a logarithmic axis.
pub(super) fn quality(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let Some(plot) = plot(area) else { return };
    let slices = spark::quality(state, plot.width * 2);
    let range = Range::of(slices.iter().filter_map(|slice| slice.mean()));
    let drawing = Drawing {
        axis: range.and_then(Axis::logarithmic),
        courses: vec![Course {
            mark: String::new(),
            style: ink.theme.accent(),
            slices,
            ideal: None,
            reference: None,
        }],
        window: spark::whole_run(state),
        nothing: "no quick distance is known",
    };
    drawing.draw(ink, area, plot, buffer);
}

/// Where the curves are; none where there is no room.
fn plot(area: Rect) -> Option<Rect> {
    (area.width >= LEAST_WIDTH && area.height >= LEAST_HEIGHT).then(|| Rect {
        x: area.x + LABELS,
        width: area.width - LABELS - MARKS,
        height: area.height - FOOT,
        ..area
    })
}

impl Drawing {
    fn draw(self, ink: Ink, area: Rect, plot: Rect, buffer: &mut Buffer) {
        upright(self.axis.as_ref(), ink, area, plot, buffer);
        along(self.window, ink, area, plot, buffer);
        let Some(axis) = self.axis else {
            let words = ink.dim(format!(" {}", self.nothing));
            return put(buffer, row(plot, plot.height / 2), words);
        };
        equilibria(&self.courses, &axis, ink, plot, buffer);
        references(&self.courses, &axis, ink, plot, buffer);
        let mut grid = Plot::new(plot.width, plot.height);
        let ends = self
            .courses
            .into_iter()
            .filter_map(|course| {
                let end = grid.curve(&course.slices, &axis, course.style)?;
                Some((Span::styled(course.mark, course.style), end))
            })
            .collect();
        grid.draw(plot, buffer);
        mark_ends(ends, plot, buffer);
    }
}

fn axis(state: &State, chart: &Chart, courses: &[Course], height: u16) -> Option<Axis> {
    let values = courses
        .iter()
        .flat_map(|course| course.slices.iter().filter_map(|slice| slice.mean()));
    // A reference is there to be compared with, so it is within the axis.
    let values = values.chain(
        courses
            .iter()
            .filter_map(|course| Some(course.reference.as_ref()?.value)),
    );
    if state.look.log_axis {
        return Range::of(values.filter(|value| *value > 0.0)).and_then(Axis::logarithmic);
    }
    let range = Range::of(values)?;
    Some(match chart.kind {
        MetricKind::Probability | MetricKind::Share => Axis::linear(
            Range {
                low: 0.0,
                high: 1.0,
            },
            height,
        ),
        _ => Axis::linear(range, height),
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

/// The axis of time, so many seconds long. Its right end is the newest point.
fn along(window: f64, ink: Ink, area: Rect, plot: Rect, buffer: &mut Buffer) {
    // Less than a few seconds has no parts with names of their own.
    let parts: u16 = if plot.width >= 44 && window >= 6.0 {
        3
    } else {
        1
    };
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

/// A dashed line at each curve's value at the equilibrium, as far as the axis reaches: in the curve's colour, or dim
/// where all curves come to the same.
fn equilibria(courses: &[Course], axis: &Axis, ink: Ink, plot: Rect, buffer: &mut Buffer) {
    let all_meet = courses
        .windows(2)
        .all(|pair| pair[0].ideal == pair[1].ideal);
    for course in courses {
        let Some(ideal) = course.ideal.filter(|ideal| axis.holds(*ideal)) else {
            continue;
        };
        let style = if all_meet {
            ink.theme.dim()
        } else {
            course.style
        };
        if let Some(y) = axis.row(ideal, plot.height) {
            let line = "╌".repeat(usize::from(plot.width));
            put(buffer, row(plot, y), Span::styled(line, style));
        }
    }
}

/// A dashed line where a plain method stands, with its name.
fn references(courses: &[Course], axis: &Axis, ink: Ink, plot: Rect, buffer: &mut Buffer) {
    for reference in courses
        .iter()
        .filter_map(|course| course.reference.as_ref())
    {
        if !axis.holds(reference.value) {
            continue;
        }
        if let Some(y) = axis.row(reference.value, plot.height) {
            let width = usize::from(plot.width);
            let name = format!("╌ {} ", reference.label);
            let name = if name.width() > width { "" } else { &name };
            let line = format!("{name}{}", "╌".repeat(width - name.width()));
            put(buffer, row(plot, y), ink.dim(line));
        }
    }
}

fn back_in_time(seconds: f64) -> String {
    let whole = crate::dashboard::words::whole(seconds);
    match whole {
        0 => "now".to_owned(),
        1..600 if !whole.is_multiple_of(60) => format!("−{whole} s"),
        1..7200 => format!("−{} min", (whole + 30) / 60),
        7200..172_800 => format!("−{} h", whole.div_ceil(3600)),
        _ => format!("−{} days", whole.div_ceil(86_400)),
    }
}

/// Each curve's letter, right of where it ends, in a row of dots; two that end in one row of cells stand one above the
/// other, the higher curve's above.
fn mark_ends(mut ends: Vec<(Span, u16)>, plot: Rect, buffer: &mut Buffer) {
    ends.sort_by_key(|(_, end)| *end);
    let mut next = 0;
    let count = super::ink::cells(ends.len());
    for (index, (mark, end)) in (0..).zip(ends) {
        let last = plot.height.saturating_sub(count - index);
        let y = (end / 4).max(next).min(last);
        next = y + 1;
        let place = Rect {
            x: plot.right() + 1,
            width: 1,
            ..row(plot, y)
        };
        put(buffer, place, mark);
    }
}
