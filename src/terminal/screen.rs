//! A screen of cells, and of pictures in pixels over them. Each frame sends only what changed, in one piece, inside a
//! synchronized update.

use std::fmt::Write as _;
use std::io;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::graphics::{Graphics, Wall};
use super::output::Output;
use super::pen::Pen;
use super::placed::is_marked;
use super::{Picture, Placed};

/// These ask the terminal to hold a frame back until it is whole, and then to show it (DEC private mode 2026). Terminals
/// without that mode ignore them.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// Bytes reserved for a frame: one with many pictures fits.
const FRAME: usize = 128 << 10;

/// What a terminal shows, and what it is to show next.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    /// Whether the terminal may show something other than `shown`, and must be cleared.
    unknown: bool,
    /// How pixels get there, if they do.
    graphics: Option<Graphics>,
    wall: Wall,
    frame: String,
}

impl Screen {
    /// A screen of this size with unknown contents.
    pub fn new(width: u16, height: u16) -> Self {
        let area = Rect::new(0, 0, width, height);
        Self {
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            unknown: true,
            graphics: None,
            wall: Wall::default(),
            frame: String::with_capacity(FRAME),
        }
    }

    /// The cells there are.
    pub fn area(&self) -> Rect {
        self.next.area
    }

    /// Redraws everything at this size with the next frame. What the terminal did to the old contents is unknown.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.next.resize(Rect::new(0, 0, width, height));
        self.unknown = true;
    }

    /// Says how pixels get to the terminal, if they do, and redraws everything with the next frame.
    pub fn show_pixels(&mut self, graphics: Option<Graphics>) {
        self.graphics = graphics;
        self.unknown = true;
    }

    /// Draws a frame with `paint`, which gets a blank buffer. `picture` finds a picture whose cells it marked. Returns how
    /// many bytes the frame takes: 0 if nothing changed.
    pub fn draw<'a>(
        &mut self,
        output: &mut Output,
        paint: impl FnOnce(Rect, &mut Buffer),
        picture: impl Fn(Placed) -> Option<Picture<'a>>,
    ) -> io::Result<usize> {
        let area = self.next.area;
        self.next.reset();
        paint(area, &mut self.next);
        self.compose(picture);
        output.write(self.frame.as_bytes())?;
        std::mem::swap(&mut self.shown, &mut self.next);
        self.next.resize(area);
        Ok(self.frame.len())
    }

    /// Fills `frame` with the bytes that turn what the terminal shows into what it should show.
    fn compose<'a>(&mut self, picture: impl Fn(Placed) -> Option<Picture<'a>>) {
        self.frame.clear();
        self.frame.push_str(BEGIN);
        if std::mem::take(&mut self.unknown) {
            self.frame.push_str("\x1b[0m\x1b[2J");
            self.wall.strip(self.graphics, &mut self.frame);
            self.shown.resize(self.next.area);
            self.shown.reset();
        }
        let begun = self.frame.len();
        encode(self.shown.diff(&self.next).into_iter(), &mut self.frame);
        if let Some(graphics) = self.graphics {
            let buffers = (&self.shown, &self.next);
            self.wall
                .rehang(graphics, buffers, picture, &mut self.frame);
        }
        if begun == BEGIN.len() && self.frame.len() == begun {
            self.frame.clear();
        } else {
            self.frame.push_str(END);
        }
    }
}

/// Appends the shortest text that puts these cells in their places.
fn encode<'a>(cells: impl Iterator<Item = (u16, u16, &'a Cell)>, text: &mut String) {
    let mut pen = Pen::default();
    let mut cursor = None;
    for (x, y, cell) in cells {
        match cursor {
            Some(there) if there == (x, y) => {}
            Some((column, row)) if row == y && column + 1 == x => text.push_str("\x1b[C"),
            Some((column, row)) if row == y && column < x => {
                let _ = write!(text, "\x1b[{}C", x - column);
            }
            _ => {
                let _ = write!(text, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
        // A picture is drawn over blanks.
        let blank = Cell::default();
        let cell = if is_marked(cell) { &blank } else { cell };
        pen.take_up(cell, text);
        text.push_str(cell.symbol());
        let width = Span::raw(cell.symbol()).width().max(1);
        cursor = Some((x.saturating_add(u16::try_from(width).unwrap_or(1)), y));
    }
    pen.lay_down(text);
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;

    /// The bytes of the next frame.
    fn frame(screen: &mut Screen, paint: impl FnOnce(&mut Buffer)) -> String {
        screen.next.reset();
        paint(&mut screen.next);
        screen.compose(|_| None);
        std::mem::swap(&mut screen.shown, &mut screen.next);
        screen.frame.clone()
    }

    fn write(text: &'static str) -> impl FnOnce(&mut Buffer) {
        move |buffer| buffer.set_string(2, 1, text, Style::new())
    }

    #[test]
    fn a_frame_is_what_changed_within_a_synchronized_update() {
        let mut screen = Screen::new(20, 3);
        assert_eq!(
            frame(&mut screen, write("loss 1.25")),
            "\x1b[?2026h\x1b[0m\x1b[2J\x1b[2;3Hloss\x1b[C1.25\x1b[?2026l"
        );
        assert_eq!(
            frame(&mut screen, write("loss 1.30")),
            "\x1b[?2026h\x1b[2;10H30\x1b[?2026l"
        );
    }

    #[test]
    fn where_nothing_changed_nothing_is_written() {
        let mut screen = Screen::new(20, 3);
        frame(&mut screen, write("loss"));
        assert_eq!(frame(&mut screen, write("loss")), "");
        screen.resize(20, 3);
        assert!(frame(&mut screen, write("loss")).contains("\x1b[2J"));
    }

    #[test]
    fn a_colour_is_sent_where_it_changes_and_nothing_stays_set() {
        let mut screen = Screen::new(4, 1);
        frame(&mut screen, |_| {});
        let painted = frame(&mut screen, |buffer| {
            let style = Style::new().fg(Color::Indexed(9)).bg(Color::Indexed(8));
            buffer.set_string(0, 0, "▀▀", style);
            buffer.set_string(2, 0, "▀", style.bg(Color::Indexed(7)));
        });
        assert_eq!(
            painted,
            "\x1b[?2026h\x1b[1;1H\x1b[38;5;9;48;5;8m▀▀\x1b[48;5;7m▀\x1b[0m\x1b[?2026l"
        );
    }

    #[test]
    fn another_size_is_drawn_anew() {
        let mut screen = Screen::new(20, 3);
        frame(&mut screen, write("loss"));
        screen.resize(10, 2);
        assert!(frame(&mut screen, write("loss")).contains("\x1b[2J\x1b[2;3Hloss"));
    }
}
