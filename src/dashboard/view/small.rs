//! Screens that have no room for panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::MetricKind;

use super::ink::{Ink, Piece, cells, fit, inset, joined, put, row, shortened, wrapped};
use super::{chart, curves, footer, gallery, header, log};
use crate::dashboard::state::{Curve, State, Tone};
use crate::dashboard::words::{figure, grouped, probability};

/// Columns of the picture.
const PICTURE: u16 = 14;

/// From this size on there is room for four pictures, a chart and the end of the log.
const ROOMY: (u16, u16) = (56, 15);
/// Lines of the log there.
const LOG: u16 = 3;

/// State, progress, figures and a picture; a chart, the log and more pictures where there is room.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    header::identity(state, ink, row(area, 0), buffer);
    header::progress(state, ink, row(area, 1), buffer);
    footer::draw(state, ink, row(area, area.height.saturating_sub(1)), buffer);
    let is_roomy = area.width >= ROOMY.0 && area.height >= ROOMY.1;
    let (head, foot) = if is_roomy { (2, 1) } else { (3, 2) };
    let body = inset(
        Rect {
            y: row(area, head).y,
            height: area.height.saturating_sub(head + foot),
            ..area
        },
        1,
    );
    let across = if is_roomy { 2 * PICTURE + 1 } else { PICTURE };
    let beside = body.width.min(across);
    let left = Rect {
        width: body.width.saturating_sub(beside + 2),
        ..body
    };
    let right = Rect {
        x: body.right() - beside,
        width: beside,
        ..body
    };
    let used = figures(state, is_roomy, ink, left, buffer);
    pictures(state, !is_roomy, ink, right, buffer);
    if is_roomy {
        let rest = Rect {
            y: row(left, used).y,
            height: left.height.saturating_sub(used),
            ..left
        };
        course(state, ink, rest, buffer);
    }
}

/// The chart that is looked at, and below it the end of the log.
fn course(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let charted = area.height.saturating_sub(LOG);
    let charted = if charted < chart::LEAST_HEIGHT {
        0
    } else {
        charted
    };
    let above = Rect {
        height: charted,
        ..area
    };
    chart::draw(state, state.chart(), ink, above, buffer);
    let below = Rect {
        y: area.y + charted,
        height: area.height - charted,
        ..area
    };
    log::end(state, ink, below, buffer);
}

/// Figures in lines; returns how many there are.
fn figures(state: &State, is_roomy: bool, ink: Ink, area: Rect, buffer: &mut Buffer) -> u16 {
    let sparks = Rect {
        height: area.height.min(2),
        ..area
    };
    curves::lines(state, state.charts.main(), ink, sparks, buffer);
    let mut pair = probabilities(state, ink, " ");
    if pair.width() > usize::from(area.width) {
        pair = probabilities(state, ink, "");
    }
    put(buffer, row(area, 2), pair);
    if let Some(verdict) = state.verdict() {
        let words = Span::styled(verdict.words, ink.health(verdict.health));
        put(buffer, row(area, 3), words);
    }
    if let Some(next) = state.next() {
        let lines = wrapped(&next, usize::from(area.width));
        let used = 4 + cells(lines.len());
        for (index, line) in (4..).zip(lines) {
            put(buffer, row(area, index), ink.bold(line));
        }
        return used;
    }
    let step = ink.dim(format!("step {}", grouped(state.step())));
    if is_roomy {
        // The line of progress has room for the speed.
        put(buffer, row(area, 4), step);
        return 5;
    }
    let speed = format!(
        "{:>6} img/s",
        header::speed_words(header::throughput(state))
    );
    put(buffer, row(area, 4), ink.dim(speed));
    put(buffer, row(area, 5), step);
    6
}

/// What the run reports as probabilities, in a line, with a gap between a name and its value.
fn probabilities<'a>(state: &State, ink: Ink, gap: &str) -> Line<'a> {
    let mut line = Line::default();
    let chart = state.charts.of_kind(MetricKind::Probability);
    for curve in chart.map_or(&[][..], |chart| &chart.curves) {
        if line.width() > 0 {
            line.push_span(" ");
        }
        let label = format!("{}{gap}", curve.label);
        line.push_span(Span::styled(label, ink.hue(curve.hue)));
        line.push_span(ink.bold(probability(state.latest(curve.series))));
    }
    line
}

/// As many pictures as there is room for.
fn pictures(state: &State, airy: bool, ink: Ink, area: Rect, buffer: &mut Buffer) {
    if let Some(shown) = state.gallery.shown() {
        let hung = gallery::laid_out(&shown.pictures, None, ink, area, airy);
        gallery::pictures(&shown.pictures, &hung, buffer);
    }
}

/// The dashboard in a single line.
pub(super) fn line(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let standing = state.standing();
    let width = usize::from(area.width);
    let percent = state
        .progress()
        .map_or_else(String::new, |part| format!("{:.1}%", part * 100.0));
    let word = shortened(&standing.words(), width.saturating_sub(2));
    let alarm = header::alarm(state, ink);
    // Where there is room for one of the two, an alarm says more than that the run goes on.
    let goes_on = !matches!(standing.tone(), Tone::Over | Tone::Alarm);
    let (word_rank, alarm_rank) = if alarm.is_some() && goes_on {
        (1, 0)
    } else {
        (0, 1)
    };
    let figure_of = |curve: &Curve| {
        Line::from(vec![
            Span::styled(curve.mark.clone(), ink.hue(curve.hue)),
            Span::raw(format!(" {}", figure(state.latest(curve.series)))),
        ])
    };
    let mut pieces = vec![
        Piece::new(
            word_rank,
            Span::styled(
                format!("{} {word}", header::dot(standing)),
                ink.tone(standing.tone()),
            ),
        ),
        Piece::new(2, percent),
    ];
    let main = state.charts.main().curves.iter().take(2);
    pieces.extend(
        (3..)
            .zip(main)
            .map(|(rank, curve)| Piece::new(rank, figure_of(curve))),
    );
    pieces.splice(1..1, alarm.map(|alarm| Piece::new(alarm_rank, alarm)));
    fit(&mut pieces, width, 1);
    put(buffer, area, joined(pieces, &Span::raw(" ")));
}
