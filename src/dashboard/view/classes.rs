//! How many of the pictures were taken for each class: a row of bars, a block of them, and what they lack in words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::Health;
use unicode_width::UnicodeWidthStr;

use super::ink::{Ink, cells, put, row};
use super::spark::level;
use crate::dashboard::state::{FAIR, Presence, presences};
use crate::dashboard::words::whole;

/// A bar in a row is full at this share, and so half high at a fair one.
const FULL: f64 = 2.0 * FAIR;
/// What stands for the bar of a class that is gone.
const GONE: &str = "×";
/// Columns for a class in a block, at most.
const WIDEST: u16 = 7;
/// From so many columns a class on, its share is written below it.
const SHARES: u16 = 4;
/// Rows of a block of bars: two of them and the digits.
pub(super) const LEAST_HEIGHT: u16 = 3;

/// Each digit with its bar, and what is rare or gone as far as there is room.
pub(super) fn line<'a>(health: &Health, ink: Ink, width: usize) -> Line<'a> {
    let presences = presences(health);
    // Apart they read better; without the blanks there is room for a word.
    let airy = width >= 46;
    let mut line = Line::default();
    for (class, presence) in presences.iter().enumerate() {
        let share = health.histogram[class];
        if airy && class > 0 {
            line.push_span(" ");
        }
        line.push_span(ink.dim(class.to_string()));
        line.push_span(match presence {
            Presence::Gone => Span::styled(GONE, style(*presence, ink)),
            _ => Span::styled(level(share / FULL).to_string(), style(*presence, ink)),
        });
    }
    let gap = if airy { 3 } else { 1 };
    let room = width.saturating_sub(line.width() + gap);
    if let Some((words, worst)) = lack(health, &presences, room) {
        line.push_span(" ".repeat(gap));
        line.push_span(Span::styled(words, word_style(worst, ink)));
    }
    line
}

fn style(presence: Presence, ink: Ink) -> Style {
    match presence {
        Presence::Gone => ink.theme.alarm(),
        Presence::Rare => ink.theme.warning(),
        Presence::There => ink.theme.generator(),
    }
}

/// Words beside the bars are quieter than an alarm, which is told in its own place.
fn word_style(worst: Presence, ink: Ink) -> Style {
    match worst {
        Presence::There => ink.theme.text(),
        Presence::Gone | Presence::Rare => ink.theme.warning(),
    }
}

/// What is rare or gone, in the longest words that have room, and which of the two; none where nothing is.
fn lack(health: &Health, presences: &[Presence], room: usize) -> Option<(String, Presence)> {
    let of = |wanted: Presence| -> Vec<usize> {
        (0..presences.len())
            .filter(|class| presences[*class] == wanted)
            .collect()
    };
    let (gone, rare) = (of(Presence::Gone), of(Presence::Rare));
    let list = |classes: &[usize], separator: &str| {
        let names: Vec<_> = classes.iter().map(ToString::to_string).collect();
        names.join(separator)
    };
    let are = |classes: &[usize]| if classes.len() == 1 { "is" } else { "are" };
    let candidates = match (&gone[..], &rare[..]) {
        ([], []) => return None,
        ([], [one]) => vec![
            format!("{one} is rare ({:.0}%)", health.histogram[*one] * 100.0),
            format!("{one} is rare"),
            format!("{one} rare"),
        ],
        ([], rare) => vec![
            format!("{} are rare", list(rare, ", ")),
            format!("{} rare", list(rare, ", ")),
            format!("{} rare", list(rare, ",")),
            "some rare".to_owned(),
        ],
        (gone, []) => vec![
            format!("{} {} gone", list(gone, ", "), are(gone)),
            format!("{} gone", list(gone, ", ")),
            format!("{} gone", list(gone, ",")),
            "some gone".to_owned(),
        ],
        (gone, rare) => vec![
            format!("{} gone, {} rare", list(gone, ", "), list(rare, ", ")),
            format!("{} gone", list(gone, ", ")),
            format!("{} gone", list(gone, ",")),
            "some gone".to_owned(),
        ],
    };
    let worst = if gone.is_empty() {
        Presence::Rare
    } else {
        Presence::Gone
    };
    candidates
        .into_iter()
        .find(|words| words.width() <= room)
        .map(|words| (words, worst))
}

/// Ten bars side by side with their digits below them, and a line at the fair share.
pub(super) fn block(health: &Health, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let presences = presences(health);
    let pitch = (area.width / 10).min(WIDEST);
    if pitch < 2 || area.height < LEAST_HEIGHT {
        return;
    }
    let with_shares = pitch >= SHARES && area.height > LEAST_HEIGHT;
    let foot = if with_shares { 2 } else { 1 };
    let bars = Rect {
        width: 10 * pitch - 1,
        height: area.height - foot,
        ..area
    };
    let largest = health
        .histogram
        .iter()
        .copied()
        .filter(|share| share.is_finite());
    let full = largest.fold(FULL, f64::max);
    fair_share(full, ink, bars, buffer);
    for (class, presence) in (0_u16..).zip(&presences) {
        let share = health.histogram[usize::from(class)];
        let column = Rect {
            x: bars.x + class * pitch,
            width: pitch - 1,
            ..area
        };
        bar(share / full, *presence, ink, bars.height, column, buffer);
        let centre = usize::from(column.width);
        let digit = format!("{class:^centre$}");
        put(buffer, row(column, bars.height), ink.bold(digit));
        if with_shares {
            let text = format!("{:.0}%", share * 100.0);
            let text = format!("{text:^centre$}");
            put(buffer, row(column, bars.height + 1), ink.dim(text));
        }
    }
}

/// A dashed line at the height of a fair share, behind the bars.
fn fair_share(full: f64, ink: Ink, bars: Rect, buffer: &mut Buffer) {
    let eighths = whole(FAIR / full * f64::from(bars.height) * 8.0);
    let from_foot = u16::try_from(eighths / 8).unwrap_or(0);
    let line = "╌".repeat(usize::from(bars.width));
    let y = bars.height.saturating_sub(1 + from_foot);
    put(buffer, row(bars, y), ink.dim(line));
}

/// A bar of this part of the height, in eighths of a cell.
fn bar(part: f64, presence: Presence, ink: Ink, height: u16, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    if presence == Presence::Gone {
        let mark = Rect {
            x: area.x + (area.width - 1) / 2,
            width: 1,
            ..row(area, height - 1)
        };
        return put(buffer, mark, Span::styled(GONE, style(presence, ink)));
    }
    let eighths = whole(part.clamp(0.0, 1.0) * f64::from(height) * 8.0).max(1);
    let full = cells(usize::try_from(eighths / 8).unwrap_or(0)).min(height);
    let style = style(presence, ink);
    for from_foot in 0..full {
        let place = row(area, height - 1 - from_foot);
        put(buffer, place, Span::styled("█".repeat(width), style));
    }
    if !eighths.is_multiple_of(8) && full < height {
        let rest = level((eighths % 8 - 1) as f64 / 7.0).to_string();
        let place = row(area, height - 1 - full);
        put(buffer, place, Span::styled(rest.repeat(width), style));
    }
}
