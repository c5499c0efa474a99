//! Styles by meaning, areas, and text that fits.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::Verdict;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::dashboard::state::{Health, Hue, Tone, Weight};
use crate::terminal::{Capabilities, Colors, Render, Theme};

/// What a terminal can show, as far as drawing has to know.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    /// The styles.
    pub theme: Theme,
    /// Whether letters beyond ASCII can be shown.
    pub unicode: bool,
    /// How pictures are drawn.
    pub render: Render,
    /// The colours of pictures: the theme's, or fewer to save bytes.
    pub pictures: Colors,
}

impl Ink {
    /// Draws in a theme, as far as the terminal is capable.
    pub fn new(theme: Theme, capabilities: &Capabilities) -> Self {
        Self {
            theme,
            unicode: capabilities.unicode,
            render: capabilities.render,
            pictures: theme.colors(),
        }
    }

    /// Whether pictures are drawn in the terminal's own pixels.
    pub fn has_pixels(self) -> bool {
        matches!(self.render, Render::Pixels(_))
    }

    /// Whether pictures have fewer colours than the terminal.
    pub(super) fn is_coarse(self) -> bool {
        self.pictures < self.theme.colors()
    }

    /// The style of a curve: those of the two networks first, and from the first again when there are many.
    pub(super) fn hue(self, Hue(place): Hue) -> Style {
        match place % 4 {
            0 => self.theme.discriminator(),
            1 => self.theme.generator(),
            2 => self.theme.accent(),
            _ => self.theme.good(),
        }
    }

    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.theme.good(),
            Tone::Busy => self.theme.accent(),
            Tone::Waiting => self.theme.warning(),
            Tone::Over => self.theme.title(),
            Tone::Alarm => self.theme.alarm(),
        }
    }

    pub(super) fn health(self, health: Health) -> Style {
        match health {
            Health::Good => self.theme.good(),
            Health::Fair => self.theme.text(),
            Health::Poor => self.theme.warning(),
        }
    }

    pub(super) fn verdict(self, verdict: &Verdict) -> Style {
        match verdict {
            _ if verdict.is_alarm() => self.theme.alarm(),
            Verdict::Learning => self.theme.good(),
            _ => self.theme.text(),
        }
    }

    pub(super) fn weight(self, weight: Weight) -> Style {
        match weight {
            Weight::Plain => self.theme.text(),
            Weight::Warning => self.theme.warning(),
            Weight::Alarm => self.theme.alarm(),
        }
    }

    pub(super) fn dim<'a>(self, text: impl Into<std::borrow::Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.theme.dim())
    }

    pub(super) fn bold<'a>(self, text: impl Into<std::borrow::Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.theme.title())
    }
}

/// Row `index` of an area; without cells if the area ends before.
pub(super) fn row(area: Rect, index: u16) -> Rect {
    Rect {
        y: area.y.saturating_add(index).min(area.bottom()),
        height: u16::from(index < area.height),
        ..area
    }
}

/// An area without so many columns at either side.
pub(super) fn inset(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width / 2);
    Rect {
        x: area.x + columns,
        width: area.width - 2 * columns,
        ..area
    }
}

/// An area of this size in the middle of another, cut to it.
pub(super) fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// A length of text in cells.
pub(super) fn cells(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Writes a line into the first row of an area, cut off where it ends.
pub(super) fn put<'a>(buffer: &mut Buffer, area: Rect, line: impl Into<Line<'a>>) {
    if !area.is_empty() {
        buffer.set_line(area.x, area.y, &line.into(), area.width);
    }
}

/// Text that ends in `…` where it is wider than `width`.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(letter);
    }
    if width > 0 {
        kept.truncate(kept.trim_end().len());
        kept.push('…');
    }
    kept
}

/// Text in lines of at most `width` cells, broken between words where that is possible.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let gap = usize::from(!line.is_empty());
            let room = width.saturating_sub(line.width() + gap);
            let taken = match (rest.width() <= room, line.is_empty()) {
                (true, _) => rest.len(),
                (false, true) => prefix(rest, room).max(first(rest)),
                // A path is longer than any line: it begins where it stands and goes on in the next.
                (false, false) if rest.width() > width && room > 8 => prefix(rest, room),
                (false, false) => 0,
            };
            if taken > 0 {
                line.push_str(&" "[..gap]);
                line.push_str(&rest[..taken]);
                rest = &rest[taken..];
            }
            if !rest.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
        }
    }
    lines.push(line);
    lines
}

/// Bytes of the first letter of a text.
fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Bytes of the longest beginning of a text that is at most `width` cells wide.
fn prefix(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (index, letter) in text.char_indices() {
        used += letter.width().unwrap_or(0);
        if used > width {
            return index;
        }
    }
    text.len()
}

/// A part of a line that can be left out where there is no room.
pub(super) struct Piece<'a> {
    /// What it says.
    pub line: Line<'a>,
    /// Higher ranks are left out first; 0 never is.
    pub rank: u8,
}

impl<'a> Piece<'a> {
    pub(super) fn new(rank: u8, line: impl Into<Line<'a>>) -> Self {
        Self {
            line: line.into(),
            rank,
        }
    }
}

/// Leaves out pieces until the others fit into `width` cells with `gap` between two, and says how many they take.
pub(super) fn fit(pieces: &mut Vec<Piece<'_>>, width: usize, gap: usize) -> usize {
    loop {
        let taken = pieces.iter().map(|piece| piece.line.width()).sum::<usize>()
            + gap * pieces.len().saturating_sub(1);
        let lowest = pieces
            .iter()
            .enumerate()
            .max_by_key(|(_, piece)| piece.rank)
            .filter(|(_, piece)| piece.rank > 0)
            .map(|(index, _)| index);
        match lowest {
            Some(index) if taken > width => drop(pieces.remove(index)),
            _ => return taken,
        }
    }
}

/// Joins pieces with a separator.
pub(super) fn joined<'a>(pieces: Vec<Piece<'a>>, separator: &Span<'a>) -> Line<'a> {
    let mut line = Line::default();
    for (index, piece) in pieces.into_iter().enumerate() {
        if index > 0 {
            line.push_span(separator.clone());
        }
        line.spans.extend(piece.line.spans);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_does_not_fit_says_so() {
        assert_eq!(shortened("checkpoint", 10), "checkpoint");
        assert_eq!(shortened("check point", 7), "check…");
        assert_eq!(shortened("checkpoint", 0), "");
        assert_eq!(shortened("手手手", 4), "手…");
    }

    #[test]
    fn words_stay_whole_where_a_line_can_hold_them() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("see /a/very/long/path", 12),
            ["see", "/a/very/long", "/path"]
        );
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("手手", 1), ["手", "手"]);
    }

    #[test]
    fn what_matters_least_goes_first() {
        let mut pieces = vec![
            Piece::new(0, "state"),
            Piece::new(2, "device"),
            Piece::new(1, "time"),
        ];
        assert_eq!(fit(&mut pieces, 12, 2), 11);
        assert_eq!(joined(pieces, &Span::raw("  ")).to_string(), "state  time");
    }
}
