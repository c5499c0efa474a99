//! Pictures in rows, printed as soon as a row is full.

use std::fmt::Write as _;
use std::io::{self, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::Widget as _;
use sparring_contract::protocol::Pictures;
use sparring_contract::text::printable;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Look;
use crate::terminal::gallery::fitting;
use crate::terminal::graphics::Raster;
use crate::terminal::{Brush, Capabilities, Graphics, Picture, Scale, to_text};

/// Pictures shrink until this many fit beside each other. In the terminal's own pixels they lose nothing by it.
const WORTH_A_ROW: usize = 4;
const WORTH_A_ROW_OF_PIXELS: usize = 8;

/// Lines below a picture: the names of classes, and that of the cursor.
const BELOW: u16 = 2;

/// How pictures stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    brush: Brush,
    /// How pixels get to the terminal, if they do.
    graphics: Option<Graphics>,
    /// Cells of a picture.
    each: Size,
    /// Pictures in a row, at least 1.
    columns: usize,
    /// Cells of a row.
    width: u16,
}

/// Prints pictures.
pub struct Scrollback<W> {
    to: W,
    capabilities: Capabilities,
    look: Look,
    /// How many pictures will come.
    count: u64,
    /// So many in a row belong together, and stand in one row.
    group: usize,
    /// Names of classes, printable, by their labels.
    class_names: Vec<String>,
    layout: Option<Layout>,
    /// Pictures that came.
    put: u64,
    /// A row of pictures, and below it the line of their classes if they have any.
    row: Buffer,
    /// The pictures of the row that the terminal shows in pixels of its own, and their columns.
    hung: Vec<(u16, Raster)>,
}

impl Layout {
    /// In pixels of the terminal's own, as long as a row is not higher than the screen.
    fn new(capabilities: Capabilities, look: Look, count: u64, picture: (usize, usize)) -> Self {
        let layout = Self::of(capabilities, look, count, picture);
        let rows = capabilities.size.height;
        if capabilities.graphics.is_some() && layout.each.height.saturating_add(BELOW) > rows {
            return Self::of(capabilities.without_graphics(), look, count, picture);
        }
        layout
    }

    fn of(
        capabilities: Capabilities,
        look: Look,
        count: u64,
        (width, height): (usize, usize),
    ) -> Self {
        let brush = |scale| Brush {
            render: capabilities.render,
            scale,
            colors: capabilities.colors,
        };
        let cells = |scale| brush(scale).cells(width, height);
        let asked = look.columns.map(|columns| usize::from(columns).max(1));
        let space = match asked {
            Some(_) if !capabilities.is_terminal => u16::MAX,
            _ => capabilities.size.width,
        };
        let fit = |scale| fitting(space, cells(scale).width).max(1);

        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let worth_a_row = match capabilities.graphics {
            None => WORTH_A_ROW,
            Some(_) => WORTH_A_ROW_OF_PIXELS,
        };
        let enough = asked.unwrap_or(worth_a_row).min(count);
        let choices = || Scale::choices(capabilities.render, width, height);
        let smallest = || choices().last().unwrap_or_default();
        let is_low = |scale| {
            let height = cells(scale).height.saturating_add(BELOW);
            capabilities.graphics.is_none() || height <= capabilities.size.height
        };
        let scale = look.scale.unwrap_or_else(|| {
            choices()
                .find(|scale| {
                    fit(*scale) >= enough && cells(*scale).width <= space && is_low(*scale)
                })
                .unwrap_or_else(smallest)
        });
        // Unless asked otherwise, there are as few rows as possible, of about the same length.
        let most = fit(scale);
        let even = || count.div_ceil(count.div_ceil(most).max(1));
        let columns = asked.unwrap_or_else(even).clamp(1, most);
        let each = cells(scale);
        let row = columns * (usize::from(each.width) + 1) - 1;
        Self {
            brush: brush(scale),
            graphics: capabilities.graphics,
            each,
            columns,
            width: u16::try_from(row).unwrap_or(u16::MAX).min(space),
        }
    }

    /// The same with so many pictures in a row together: as many groups as fit, and at least one.
    fn together(self, group: usize) -> Self {
        let columns = (self.columns / group.max(1) * group).max(group);
        let row = columns * (usize::from(self.each.width) + 1) - 1;
        Self {
            columns,
            width: u16::try_from(row).unwrap_or(u16::MAX),
            ..self
        }
    }

    /// A row without pictures, with a line for their classes or without.
    fn empty_row(&self, labelled: bool) -> Buffer {
        let height = self.each.height.saturating_add(u16::from(labelled));
        Buffer::empty(Rect::new(0, 0, self.width, height))
    }

    fn place(&self, column: usize) -> Rect {
        let x = column * (usize::from(self.each.width) + 1);
        Rect {
            x: u16::try_from(x).unwrap_or(u16::MAX),
            y: 0,
            width: self.each.width,
            height: self.each.height,
        }
    }
}

impl<W: Write> Scrollback<W> {
    /// Prints `count` pictures to an output that can show this much.
    pub fn new(to: W, capabilities: Capabilities, look: Look, count: u64) -> Self {
        Self {
            to,
            capabilities,
            look,
            count,
            group: 1,
            class_names: Vec::new(),
            layout: None,
            put: 0,
            row: Buffer::default(),
            hung: Vec::new(),
        }
    }

    /// Keeps so many pictures in a row together.
    pub fn together(self, group: usize) -> Self {
        Self { group, ..self }
    }

    /// Names the classes under labelled pictures. A label without a name is shown as its number.
    pub fn labelled(self, class_names: &[String]) -> Self {
        let class_names = class_names.iter().map(|name| printable(name)).collect();
        Self {
            class_names,
            ..self
        }
    }

    /// Adds pictures and prints the rows that they fill; the last row may be shorter.
    pub fn put(&mut self, pictures: &Pictures) -> io::Result<()> {
        let labelled = !self.look.no_labels && !pictures.labels.is_empty();
        for index in 0..pictures.count as usize {
            let Some(picture) = Picture::of(pictures, index) else {
                break;
            };
            let size = (picture.width(), picture.height());
            let layout = *self.layout.get_or_insert_with(|| {
                Layout::new(self.capabilities, self.look, self.count, size).together(self.group)
            });
            let column = usize::try_from(self.put % layout.columns as u64).unwrap_or(0);
            if column == 0 {
                self.row = layout.empty_row(labelled);
            }
            let place = layout.place(column);
            if let Some(graphics) = layout.graphics {
                let times = graphics.times(layout.each, &picture);
                self.hung.push((place.x, Raster::of(&picture, times)));
            } else {
                picture.drawn(layout.brush).render(place, &mut self.row);
            }
            if let (true, Some(label)) = (labelled, pictures.labels.get(index)) {
                self.write_label(*label, place);
            }
            self.put += 1;
            if column + 1 == layout.columns || self.put == self.count {
                self.print_row(self.put <= layout.columns as u64)?;
            }
        }
        Ok(())
    }

    /// Writes the name of a class below its picture, as far as there is room.
    fn write_label(&mut self, label: u32, picture: Rect) {
        let number = label.to_string();
        let name = self.class_names.get(label as usize).unwrap_or(&number);
        let end = if self.capabilities.unicode {
            '…'
        } else {
            '.'
        };
        let text = shortened(name, usize::from(picture.width), end);
        if picture.right() <= self.row.area.width && picture.bottom() < self.row.area.height {
            self.row
                .set_string(picture.x, picture.bottom(), text, Style::new());
        }
    }

    fn print_row(&mut self, first: bool) -> io::Result<()> {
        let mut text = to_text(&self.row, self.capabilities.colors);
        if let Some(graphics) = self.layout.and_then(|layout| layout.graphics) {
            // The blank row is there, so that nothing scrolls any more: back up, and down again.
            let rows = self.row.area.height;
            let _ = write!(text, "\x1b[{rows}A");
            for (column, raster) in self.hung.drain(..) {
                let _ = write!(text, "\x1b[{}G", column.saturating_add(1));
                graphics.draw(None, &raster, &mut text);
            }
            let _ = write!(text, "\r\x1b[{rows}B");
        }
        let gap = if first { "" } else { "\n" };
        self.to.write_all(format!("{gap}{text}").as_bytes())?;
        self.to.flush()
    }
}

/// Text cut to a width in cells; `end` takes the place of what is cut off.
fn shortened(text: &str, width: usize, end: char) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = end.width().unwrap_or(1);
    let kept = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or(0);
        used <= width
    });
    kept.chain((width > 0).then_some(end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::replies::tests::pictures;
    use crate::terminal::{Colors, Protocol, Render};

    fn terminal(width: u16) -> Capabilities {
        Capabilities {
            is_terminal: true,
            colors: Colors::True,
            unicode: true,
            render: Render::Half,
            graphics: None,
            size: Size::new(width, 24),
        }
    }

    fn pixels(width: u16, rows: u16) -> Capabilities {
        Capabilities {
            render: Render::Pixels((9, 18)),
            graphics: Some(Graphics {
                protocol: Protocol::Sixel,
                cell: (9, 18),
            }),
            size: Size::new(width, rows),
            ..terminal(width)
        }
    }

    fn pipe() -> Capabilities {
        Capabilities {
            is_terminal: false,
            colors: Colors::None,
            render: Render::Ascii,
            graphics: None,
            ..terminal(80)
        }
    }

    fn layout(of: Capabilities, look: Look, count: u64) -> (Scale, usize, u16) {
        of_side(28, of, look, count)
    }

    fn of_side(side: usize, of: Capabilities, look: Look, count: u64) -> (Scale, usize, u16) {
        let layout = Layout::new(of, look, count, (side, side));
        (layout.brush.scale, layout.columns, layout.width)
    }

    fn in_columns(columns: u16) -> Look {
        Look {
            columns: Some(columns),
            ..Look::default()
        }
    }

    #[test]
    fn pixels_make_rows_of_small_pictures_that_are_never_higher_than_the_screen() {
        let sample = |of| layout(of, Look::default(), 16);
        // 28 pixels of 4×4 are 112 across, 13 cells.
        assert_eq!(sample(pixels(120, 34)), (Scale::Times(4), 8, 111));
        // 28 pixels of 9×9 are 252 down, 14 rows.
        let full = Look {
            scale: Some(Scale::Full),
            ..Look::default()
        };
        let render = |rows| {
            let layout = Layout::new(pixels(120, rows), full, 16, (28, 28));
            layout.brush.render
        };
        assert_eq!(render(16), Render::Pixels((9, 18)));
        assert_eq!(render(15), Render::Half);
    }

    #[test]
    fn pixels_are_drawn_over_a_row_that_was_printed() {
        let mut text = Vec::new();
        let mut scrollback = Scrollback::new(&mut text, pixels(80, 24), Look::default(), 2);
        scrollback.put(&pictures(0, 2)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let rows = text.bytes().take_while(|byte| *byte == b'\n').count();
        let (up, down) = (format!("\n\x1b[{rows}A"), format!("\r\x1b[{rows}B"));
        assert!(text.contains(&up) && text.ends_with(&down), "{text:?}");
        assert_eq!(text.matches("\x1bP0;1;0q").count(), 2);
    }

    #[test]
    fn digits_are_at_full_scale_where_four_fit_beside_each_other() {
        let layout = |width| layout(terminal(width), Look::default(), 16);
        assert_eq!(layout(115), (Scale::Full, 4, 115));
        assert_eq!(layout(114), (Scale::Half, 6, 89));
        assert_eq!(layout(80), (Scale::Half, 4, 59));
        assert_eq!(layout(200), (Scale::Full, 6, 173));
    }

    #[test]
    fn larger_pictures_shrink_until_four_fit_beside_each_other() {
        let layout = |side, width| of_side(side, terminal(width), Look::default(), 16);
        assert_eq!(layout(64, 259), (Scale::Full, 4, 259));
        assert_eq!(layout(64, 131), (Scale::Half, 4, 131));
        assert_eq!(layout(64, 120), (Scale::Third, 4, 91));
        assert_eq!(layout(64, 80), (Scale::Quarter, 4, 67));
        assert_eq!(layout(64, 40), (Scale::Quarter, 2, 33));
        assert_eq!(layout(48, 80), (Scale::Third, 4, 67));
        assert_eq!(layout(32, 80), (Scale::Half, 4, 67));
        assert_eq!(layout(32, 131), (Scale::Full, 4, 131));
    }

    #[test]
    fn fewer_pictures_or_columns_are_at_full_scale_on_a_narrow_terminal() {
        let two = in_columns(2);
        assert_eq!(
            layout(terminal(80), Look::default(), 2),
            (Scale::Full, 2, 57)
        );
        assert_eq!(layout(terminal(80), two, 16), (Scale::Full, 2, 57));
        let half = Look {
            scale: Some(Scale::Half),
            ..two
        };
        assert_eq!(layout(terminal(80), half, 16), (Scale::Half, 2, 29));
    }

    #[test]
    fn too_many_columns_are_cut_for_a_terminal_but_not_for_a_pipe() {
        let many = in_columns(20);
        assert_eq!(layout(terminal(80), many, 100), (Scale::Half, 5, 74));
        assert_eq!(layout(pipe(), many, 100), (Scale::Full, 20, 579));
        let most = in_columns(u16::MAX);
        assert_eq!(layout(pipe(), most, 100), (Scale::Full, 2259, 65510));
    }

    #[test]
    fn a_picture_wider_than_the_terminal_is_cut_off() {
        assert_eq!(
            layout(terminal(10), Look::default(), 3),
            (Scale::Half, 1, 10)
        );
        assert_eq!(
            layout(terminal(20), Look::default(), 1),
            (Scale::Half, 1, 14)
        );
    }

    /// What is printed as pictures come in batches, each from a first pixel on.
    fn printed(look: Look, count: u64, batches: &[(u8, u8)], labels: &[u32]) -> Vec<String> {
        let mut text = Vec::new();
        let mut scrollback = Scrollback::new(&mut text, pipe(), look, count)
            .labelled(&["a\x1b".into(), "sandal".into()]);
        batches
            .iter()
            .map(|(first, count)| {
                let mut batch = pictures(*first, *count);
                batch
                    .pixels
                    .iter_mut()
                    .for_each(|pixel| *pixel = pixel.saturating_mul(13));
                batch.labels = labels.to_vec();
                scrollback.put(&batch).unwrap();
                String::from_utf8(std::mem::take(scrollback.to)).unwrap()
            })
            .collect()
    }

    #[test]
    fn a_row_is_printed_as_soon_as_it_is_full() {
        assert_eq!(
            printed(in_columns(3), 5, &[(0, 2), (8, 2), (16, 1)], &[]),
            ["", " . :- =+\n", "\n*# %@\n"]
        );
    }

    #[test]
    fn the_class_of_each_picture_stands_below_it_as_far_as_there_is_room() {
        assert_eq!(
            printed(in_columns(3), 3, &[(4, 3)], &[0, 1, 7]),
            [":- =+ *#\na… s… 7\n"]
        );
        let bare = Look {
            no_labels: true,
            ..in_columns(3)
        };
        assert_eq!(printed(bare, 3, &[(4, 3)], &[0, 1, 7]), [":- =+ *#\n"]);
        assert_eq!(shortened("sandal", 6, '…'), "sandal");
        assert_eq!(shortened("sandals", 6, '…'), "sanda…");
        assert_eq!(shortened("手手手", 4, '…'), "手…");
        assert_eq!(shortened("x", 0, '…'), "");
    }
}
