//! Text for the scrollback.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use ratatui::text::Span;

use super::Colors;
use super::pen::{Pen, SEEN_ON_BLANKS};

/// The lines of a buffer as text, without the blanks at their ends. Without colours there are no escape sequences at all;
/// with colours, a style is set where it changes and reset at the end of the line. The cursor never moves, so the text
/// can be scrolled, piped to a pager or kept in a file.
///
/// Colours are written as they are in the buffer: whoever filled it knew how many the terminal has. crossterm cannot
/// write them, since `NO_COLOR` makes it drop colours for the whole process, even under `--color always`.
pub fn to_text(buffer: &Buffer, colors: Colors) -> String {
    let width = usize::from(buffer.area.width);
    let mut text = String::new();
    for row in buffer.content.chunks(width.max(1)) {
        let end = row
            .iter()
            .rposition(|cell| !is_blank(cell, colors))
            .map_or(0, |last| last + 1);
        let mut pen = Pen::default();
        let mut column = 0;
        while let Some(cell) = row[..end].get(column) {
            if colors != Colors::None {
                pen.take_up(cell, &mut text);
            }
            text.push_str(cell.symbol());
            // A wide character covers the next cell.
            column += Span::raw(cell.symbol()).width().max(1);
        }
        pen.lay_down(&mut text);
        text.push('\n');
    }
    text
}

fn is_blank(cell: &Cell, colors: Colors) -> bool {
    let unseen = cell.bg == Color::Reset && !cell.modifier.intersects(SEEN_ON_BLANKS);
    cell.symbol() == " " && (colors == Colors::None || unseen)
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn buffer(width: u16, height: u16) -> Buffer {
        Buffer::empty(Rect::new(0, 0, width, height))
    }

    #[test]
    fn without_colours_text_is_plain_and_has_no_blank_ends() {
        let mut cells = buffer(8, 2);
        cells.set_string(1, 0, "ab", Style::new().red().on_blue());
        assert_eq!(to_text(&cells, Colors::None), " ab\n\n");
    }

    #[test]
    fn a_style_is_set_where_it_changes_and_reset_at_the_end_of_its_line() {
        let mut cells = buffer(6, 2);
        let grey = Style::new().fg(Color::Rgb(9, 9, 9)).bg(Color::Indexed(16));
        cells.set_string(0, 0, "▀▀", grey);
        cells.set_string(2, 0, "▀", grey.bg(Color::Gray));
        cells.set_string(0, 1, "plain", Style::new());
        assert_eq!(
            to_text(&cells, Colors::True),
            "\x1b[38;2;9;9;9;48;5;16m▀▀\x1b[47m▀\x1b[0m\nplain\n"
        );
    }

    #[test]
    fn a_blank_shows_its_background_and_leaves_the_foreground_alone() {
        let mut cells = buffer(4, 1);
        cells.set_string(0, 0, "x", Style::new().fg(Color::White));
        cells.set_string(1, 0, " ", Style::new().bg(Color::Black));
        assert_eq!(
            to_text(&cells, Colors::Ansi16),
            "\x1b[97mx\x1b[40m \x1b[0m\n"
        );
    }

    #[test]
    fn an_attribute_that_ends_resets_and_what_goes_on_is_set_again() {
        let mut cells = buffer(2, 1);
        cells.set_string(0, 0, "a", Style::new().bold().fg(Color::Red));
        cells.set_string(1, 0, "b", Style::new().fg(Color::Red));
        assert_eq!(
            to_text(&cells, Colors::Ansi16),
            "\x1b[1;31ma\x1b[0;31mb\x1b[0m\n"
        );
    }

    #[test]
    fn a_wide_character_covers_its_second_cell() {
        let mut cells = buffer(5, 1);
        cells.set_string(0, 0, "犬!", Style::new());
        assert_eq!(to_text(&cells, Colors::None), "犬!\n");
    }
}
