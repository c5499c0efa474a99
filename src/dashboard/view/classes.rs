//! The predicted class distribution of the pictures: bars in a row or a block, and which classes are rare, in words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::ink::{Ink, cells, put, row, shortened};
use super::spark::level;
use crate::dashboard::state::{Class, Presence};
use crate::dashboard::words::whole;

/// A bar is full at this many times its class's share of real images, and so half high at that share.
const FULL: f64 = 2.0;
/// What stands for the bar of a class that is gone.
const GONE: &str = "×";
/// From here on the bars of a row stand apart.
const ROOMY: usize = 46;
/// A name of at most so many columns is short.
const SHORT: usize = 2;
/// A row of bars leaves this much for words.
const WORDS: usize = 20;
/// Columns for a class in a block, at most.
const WIDEST: u16 = 7;
/// From so many columns a class on, its share is written below it.
const SHARES: u16 = 4;
/// Rows of a block of bars: two of them and the names.
pub(super) const LEAST_HEIGHT: u16 = 3;
/// Columns of a line in a list of classes, at least: a name, a bar and a share.
const LEAST_LINE: u16 = 20;
/// Columns of a name in a list, at most.
const NAME: usize = 14;

/// Each class with its bar, and what is rare or gone as far as there is room.
pub(super) fn line<'a>(classes: &[Class], ink: Ink, width: usize) -> Line<'a> {
    let mut line = bars(classes, ink, width);
    let gap = if width >= ROOMY { 3 } else { 1 };
    let room = width.saturating_sub(line.width() + gap);
    if let Some((words, worst)) = lack(classes, room) {
        line.push_span(" ".repeat(gap));
        line.push_span(Span::styled(words, word_style(worst, ink)));
    }
    line
}

/// A bar a class. Names, and then the blanks between classes, are given up where there is no room, and then the last
/// classes.
fn bars<'a>(classes: &[Class], ink: Ink, width: usize) -> Line<'a> {
    let names: usize = classes.iter().map(|class| class.name.width()).sum();
    let count = classes.len();
    let apart = width >= ROOMY && names + 2 * count + WORDS <= width;
    // Long names must leave room for the words that say which class is rare.
    let short = classes.iter().all(|class| class.name.width() <= SHORT);
    let with_names = names + count + if short { 0 } else { WORDS } <= width;
    let room = width.saturating_sub(WORDS).max(width / 2);
    let shown = if count <= room {
        count
    } else {
        room.saturating_sub(1)
    };
    let mut line = Line::default();
    for (index, class) in classes.iter().take(shown).enumerate() {
        if apart && index > 0 {
            line.push_span(" ");
        }
        if with_names {
            line.push_span(ink.dim(class.name.clone()));
        }
        line.push_span(match class.presence {
            Presence::Gone => Span::styled(GONE, style(class.presence, ink)),
            _ => Span::styled(
                level(class.share / (FULL * class.real)).to_string(),
                style(class.presence, ink),
            ),
        });
    }
    if shown < count {
        line.push_span(ink.dim("…"));
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

/// What is rare or gone, in the longest words that have room, and which of the two; `None` where nothing is.
fn lack(classes: &[Class], room: usize) -> Option<(String, Presence)> {
    let of = |wanted: Presence| -> Vec<&Class> {
        let all = classes.iter();
        all.filter(|class| class.presence == wanted).collect()
    };
    let (gone, rare) = (of(Presence::Gone), of(Presence::Rare));
    let list = |classes: &[&Class], separator: &str| {
        let names: Vec<_> = classes.iter().map(|class| class.name.as_str()).collect();
        names.join(separator)
    };
    let are = |classes: &[&Class]| if classes.len() == 1 { "is" } else { "are" };
    let candidates = match (&gone[..], &rare[..]) {
        ([], []) => return None,
        ([], [one]) => vec![
            format!("{} is rare ({:.0}%)", one.name, one.share * 100.0),
            format!("{} is rare", one.name),
            format!("{} rare", one.name),
            "one rare".to_owned(),
        ],
        ([], rare) => vec![
            format!("{} are rare", list(rare, ", ")),
            format!("{} rare", list(rare, ", ")),
            format!("{} rare", list(rare, ",")),
            format!("{} of the classes rare", rare.len()),
            "some rare".to_owned(),
        ],
        (gone, []) => vec![
            format!("{} {} gone", list(gone, ", "), are(gone)),
            format!("{} gone", list(gone, ", ")),
            format!("{} gone", list(gone, ",")),
            format!("{} of the classes gone", gone.len()),
            "some gone".to_owned(),
        ],
        (gone, rare) => vec![
            format!("{} gone, {} rare", list(gone, ", "), list(rare, ", ")),
            format!("{} gone", list(gone, ", ")),
            format!("{} gone", list(gone, ",")),
            format!("{} of the classes gone", gone.len()),
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

/// The share of each class: bars side by side with their names below them where the names are short, else a list.
pub(super) fn block(classes: &[Class], ink: Ink, area: Rect, buffer: &mut Buffer) {
    if classes.is_empty() || area.height < LEAST_HEIGHT {
        return;
    }
    let pitch = (area.width / cells(classes.len())).min(WIDEST);
    let longest = classes.iter().map(|class| class.name.width()).max();
    let fits = longest.is_some_and(|longest| longest < usize::from(pitch));
    if pitch >= 2 && fits {
        upright(classes, pitch, ink, area, buffer);
    } else {
        list(classes, ink, area, buffer);
    }
}

/// Bars with names below them, and a line at the share of real images.
fn upright(classes: &[Class], pitch: u16, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let with_shares = pitch >= SHARES && area.height > LEAST_HEIGHT;
    let foot = if with_shares { 2 } else { 1 };
    let bars = Rect {
        width: cells(classes.len()) * pitch - 1,
        height: area.height - foot,
        ..area
    };
    let full = full(classes);
    real_line(classes, pitch, full, ink, bars, buffer);
    for (index, class) in (0..).zip(classes) {
        let column = Rect {
            x: bars.x + index * pitch,
            width: pitch - 1,
            ..area
        };
        let part = class.share / full;
        bar(part, class.presence, ink, bars.height, column, buffer);
        let centre = usize::from(column.width);
        let name = format!("{:^centre$}", class.name);
        put(buffer, row(column, bars.height), ink.bold(name));
        if with_shares {
            let text = format!("{:.0}%", class.share * 100.0);
            let text = format!("{text:^centre$}");
            put(buffer, row(column, bars.height + 1), ink.dim(text));
        }
    }
}

/// The share at which a bar is full: twice the largest of real images, or the largest.
fn full(classes: &[Class]) -> f64 {
    classes
        .iter()
        .flat_map(|class| [class.share, FULL * class.real])
        .filter(|share| share.is_finite())
        .fold(f64::MIN_POSITIVE, f64::max)
}

/// A dashed line behind the bars, at the height of each class's share of real images.
fn real_line(classes: &[Class], pitch: u16, full: f64, ink: Ink, bars: Rect, buffer: &mut Buffer) {
    for (index, class) in (0..).zip(classes) {
        let eighths = whole(class.real / full * f64::from(bars.height) * 8.0);
        let from_foot = u16::try_from(eighths / 8).unwrap_or(0);
        let y = bars.height.saturating_sub(1 + from_foot);
        let is_last = usize::from(index) + 1 == classes.len();
        let width = pitch - u16::from(is_last);
        let part = Rect {
            x: bars.x + index * pitch,
            width,
            ..row(bars, y)
        };
        put(buffer, part, ink.dim("╌".repeat(usize::from(width))));
    }
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

/// A line a class in as many columns as have room. Where not all fit, the rarest do.
fn list(classes: &[Class], ink: Ink, area: Rect, buffer: &mut Buffer) {
    let rows = usize::from(area.height);
    let columns = usize::from((area.width / LEAST_LINE).max(1)).min(classes.len().div_ceil(rows));
    let room = rows * columns;
    let mut shown: Vec<&Class> = classes.iter().collect();
    let folded = classes.len().saturating_sub(room.saturating_sub(1));
    if classes.len() > room {
        let rarity = |class: &Class| class.share / class.real;
        shown.sort_by(|a, b| rarity(a).total_cmp(&rarity(b)));
        shown.truncate(room - 1);
    }
    let pitch = area.width / cells(columns);
    let full = full(classes);
    let place = |index: usize| {
        let column = Rect {
            x: area.x + cells(index / rows) * pitch,
            width: pitch.saturating_sub(u16::from(columns > 1) * 2),
            ..area
        };
        row(column, cells(index % rows))
    };
    for (index, class) in shown.iter().enumerate() {
        put(
            buffer,
            place(index),
            entry(class, full, ink, place(index).width),
        );
    }
    if classes.len() > room {
        let rest = format!("… and {folded} with more");
        put(buffer, place(room - 1), ink.dim(rest));
    }
}

/// A name, a bar and a share.
fn entry<'a>(class: &Class, full: f64, ink: Ink, width: u16) -> Line<'a> {
    let width = usize::from(width);
    let name_width = NAME.min(width / 2);
    let name = shortened(&class.name, name_width);
    let blank = " ".repeat(name_width.saturating_sub(name.width()) + 1);
    let share = format!("{:>7}", format!("{:.1}%", class.share * 100.0));
    let room = width.saturating_sub(name_width + 1 + share.len());
    let part = (class.share / full).clamp(0.0, 1.0);
    let length = usize::try_from(whole(part * room as f64))
        .unwrap_or(0)
        .min(room);
    let bar = match class.presence {
        Presence::Gone => GONE.to_owned(),
        _ => "━".repeat(length.max(1)),
    };
    let rest = " ".repeat(room.saturating_sub(bar.width()));
    Line::from(vec![
        Span::raw(name),
        Span::raw(blank),
        Span::styled(bar, style(class.presence, ink)),
        Span::raw(rest),
        ink.dim(share),
    ])
}
