//! The panel that says how the run does, by its health checks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::{FeatureKind, Health, Verdict};
use sparring_contract::run::Dated;
use unicode_width::UnicodeWidthStr;

use super::frame::Frame;
use super::ink::{Ink, Piece, cells, fit, joined, put, row, shortened, wrapped};
use super::{chart, classes, spark};
use crate::dashboard::state::{Panel, Standing, State};
use crate::dashboard::words::{ago, figure, grouped, probability, ratio};

/// From here on there is room for the step of the best.
const ROOMY: u16 = 46;
/// From here on bars and curve stand side by side.
const WIDE: u16 = 66;
/// Rows of the tall parts: a heading and a chart.
const PARTS: u16 = 1 + chart::LEAST_HEIGHT;
/// Rows above them: the verdict in words, and something that was measured.
const LEAST_TEXT: u16 = 2;

/// Draws the panel: lines where there is little room, tall bars and a chart where there is more.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let seen = state.timeline.health.as_ref();
    let focused = state.look.focus == Panel::Health;
    let inner = Frame::new(title(state, seen, ink), focused).draw(ink, area, buffer);
    let Some(Dated { value: health, .. }) = seen else {
        return put(buffer, row(inner, 0), ink.dim(awaited(state)));
    };
    let parts_need = PARTS + u16::from(has_classes(health) && inner.width < WIDE);
    let text = match inner.height.checked_sub(parts_need + 1) {
        Some(above @ LEAST_TEXT..) if has_distance(health) => {
            let text = summary(health, ink, inner.width, usize::from(above));
            let above = cells(text.len()) + 1;
            let below = Rect {
                y: inner.y + above,
                height: inner.height - above,
                ..inner
            };
            parts(state, health, ink, below, buffer);
            text
        }
        _ => lines(state, health, ink, inner),
    };
    for (index, line) in (0..).zip(text) {
        put(buffer, row(inner, index), line);
    }
}

/// The verdict in words and what was measured, in at most so many rows.
fn summary<'a>(health: &Health, ink: Ink, width: u16, rows: usize) -> Vec<Line<'a>> {
    let width = usize::from(width);
    let mut text = words(health, ink, width, if rows > 3 { 2 } else { 1 });
    text.extend(flow(facts(health, ink), width));
    text.truncate(rows);
    text
}

fn title<'a>(state: &State, seen: Option<&Dated<Box<Health>>>, ink: Ink) -> Vec<Line<'a>> {
    let mut title = vec![Line::from(ink.bold("health"))];
    if let Some(Dated {
        value: health,
        time,
    }) = seen
    {
        let word = match health.verdict {
            Verdict::Unclear | Verdict::Unknown => "no verdict",
            _ => health.verdict.word(),
        };
        title.push(Line::from(Span::styled(word, ink.verdict(&health.verdict))));
        title.push(Line::from(ago(state.now - time)));
    }
    title
}

/// Why there is no health check to show.
fn awaited(state: &State) -> &'static str {
    match state.standing() {
        Standing::Ended(_) | Standing::Crashed => "no health check was made",
        _ => "the first check comes soon",
    }
}

/// Whether a judge knew the classes of the data.
fn has_classes(health: &Health) -> bool {
    !health.histogram.is_empty()
}

/// Whether pictures were compared with real ones; older builds did so only where there was a judge.
fn has_distance(health: &Health) -> bool {
    health.features.is_some() || has_classes(health)
}

/// As many rows as there are. The last is for the reason of an alarm, if it is not the only one.
fn lines<'a>(state: &State, health: &Health, ink: Ink, inner: Rect) -> Vec<Line<'a>> {
    let (width, rows) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = Vec::new();
    if has_classes(health) {
        lines.push(classes::line(&state.classes(health), ink, width));
    }
    let mut pieces = Vec::new();
    if has_distance(health) {
        lines.push(quality(state, health, ink, inner.width));
    } else {
        pieces.push(Piece::new(0, ink.dim("no quick distance")));
    }
    pieces.extend(facts(health, ink));
    lines.extend(flow(pieces, width));
    if health.verdict.is_alarm() && rows > 1 {
        lines.truncate(rows - 1);
    }
    let rest = rows.saturating_sub(lines.len());
    lines.extend(words(health, ink, width, rest));
    lines.truncate(rows);
    lines
}

/// The verdict's figure in at most so many rows, without the word that the title says.
fn words<'a>(health: &Health, ink: Ink, width: usize, rows: usize) -> Vec<Line<'a>> {
    let reason = if health.reason.is_empty() {
        &health.words
    } else {
        &health.reason
    };
    let style = if health.verdict.is_alarm() {
        ink.theme.warning()
    } else {
        ink.theme.text()
    };
    let reason = crate::dashboard::state::plain(reason);
    let mut lines = wrapped(&reason, width);
    if lines.len() > rows {
        let rest = lines.split_off(rows);
        if let Some(last) = lines.last_mut() {
            *last = shortened(&format!("{last} {}", rest.join(" ")), width);
        }
    }
    lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// The quick distance, its course since the run began, and its best.
fn quality<'a>(state: &State, health: &Health, ink: Ink, width: u16) -> Line<'a> {
    let name = if width >= ROOMY { "distance" } else { "dist." };
    let mut line = Line::from(vec![
        ink.dim(format!("{name} ")),
        ink.bold(format!("{:>6} ", figure(health.quick_distance))),
    ]);
    let best = best(health, width >= ROOMY);
    let gap = usize::from(!best.is_empty());
    let taken = cells(line.width() + gap + best.width());
    let course = spark::quality(state, width.saturating_sub(taken));
    line.push_span(Span::styled(
        spark::logarithmic(&course),
        ink.theme.accent(),
    ));
    line.push_span(" ".repeat(gap));
    line.push_span(best);
    line
}

fn best(health: &Health, with_step: bool) -> String {
    let Some(best) = health.best else {
        return String::new();
    };
    let text = format!("best {}", figure(best.quick_distance));
    if with_step {
        format!("{text} at step {}", grouped(best.step))
    } else {
        text
    }
}

/// What was measured beside the quick distance and the classes.
fn facts<'a>(health: &Health, ink: Ink) -> Vec<Piece<'a>> {
    let item = |parts: &[(&'static str, String)]| {
        let spans = parts.iter().flat_map(|(name, value)| {
            [
                ink.dim(format!("{name} ")),
                Span::raw(value.clone()),
                Span::raw(" "),
            ]
        });
        let mut spans: Vec<_> = spans.collect();
        spans.pop();
        Piece::new(1, Line::from(spans))
    };
    let mut facts = vec![
        item(&[("diversity", ratio(health.diversity))]),
        item(&[
            ("D right on real", probability(health.accuracy_real)),
            ("fake", probability(health.accuracy_fake)),
        ]),
        item(&[
            ("saturated", probability(health.saturated)),
            ("real", probability(health.saturated_real)),
        ]),
    ];
    if has_classes(health) {
        facts.push(item(&[("confidence", probability(health.confidence))]));
    }
    if health.features == Some(FeatureKind::Unlabelled) {
        facts.push(Piece::new(1, ink.dim("compared without labels")));
    }
    facts
}

/// Pieces in lines, one after the other.
fn flow(pieces: Vec<Piece<'_>>, width: usize) -> Vec<Line<'_>> {
    const GAP: usize = 3;
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let mut taken = 0;
    for piece in pieces {
        let length = piece.line.width();
        match lines.last_mut() {
            Some(line) if taken + GAP + length <= width => {
                taken += GAP + length;
                line.push(piece);
            }
            _ => {
                taken = length;
                lines.push(vec![piece]);
            }
        }
    }
    lines
        .into_iter()
        .map(|mut line| {
            fit(&mut line, width, GAP);
            joined(line, &Span::raw(" ".repeat(GAP)))
        })
        .collect()
}

/// Bars and curve side by side, or the bars in a row above the curve, or a block of them where there is room. Without
/// classes there is only the curve.
fn parts(state: &State, health: &Health, ink: Ink, area: Rect, buffer: &mut Buffer) {
    if !has_classes(health) {
        return curve(state, health, ink, area, buffer);
    }
    let block = 1 + classes::LEAST_HEIGHT + 1;
    let (bars, rest) = if area.width >= WIDE {
        let width = area.width * 2 / 5;
        let bars = Rect {
            width: width.saturating_sub(2),
            ..area
        };
        let curve = Rect {
            x: area.x + width,
            width: area.width - width,
            ..area
        };
        (bars, curve)
    } else {
        let height = if area.height >= block + PARTS {
            (area.height / 2).min(area.height - PARTS)
        } else {
            1
        };
        let bars = Rect { height, ..area };
        let curve = Rect {
            y: area.y + height,
            height: area.height - height,
            ..area
        };
        (bars, curve)
    };
    if bars.height == 1 {
        put(
            buffer,
            bars,
            classes::line(&state.classes(health), ink, usize::from(bars.width)),
        );
    } else {
        put(buffer, row(bars, 0), ink.dim("share of each class"));
        classes::block(&state.classes(health), ink, under(bars), buffer);
    }
    curve(state, health, ink, rest, buffer);
}

/// The quick distance since the run began, below a heading with its latest and its best.
fn curve(state: &State, health: &Health, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let heading = |with_step| {
        Line::from(vec![
            ink.dim("quick distance "),
            ink.bold(figure(health.quick_distance)),
            ink.dim(format!("  {}", best(health, with_step))),
        ])
    };
    let fits = heading(true).width() <= usize::from(area.width);
    put(buffer, row(area, 0), heading(fits));
    chart::quality(state, ink, under(area), buffer);
}

/// An area without its first row.
fn under(area: Rect) -> Rect {
    Rect {
        y: row(area, 1).y,
        height: area.height.saturating_sub(1),
        ..area
    }
}
