//! Pictures in rows, printed as soon as a row is full.

use std::io::{self, Write};

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget as _;
use sparring_contract::protocol::Pictures;

use super::Options;
use crate::terminal::gallery::fitting;
use crate::terminal::{Brush, Capabilities, Picture, Scale, to_text};

/// So many pictures should fit beside each other at full scale; else half scale says more.
const WORTH_FULL_SCALE: usize = 4;

/// How pictures stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    brush: Brush,
    /// Cells of a picture.
    each: Size,
    /// Pictures in a row, at least 1.
    columns: usize,
    /// Cells of a row.
    width: u16,
}

/// Prints pictures.
pub struct Scrollback<'a, W> {
    to: W,
    capabilities: Capabilities,
    options: &'a Options,
    layout: Option<Layout>,
    /// Pictures that were put.
    put: u64,
    row: Buffer,
}

impl Layout {
    fn new(capabilities: Capabilities, options: &Options, (width, height): (usize, usize)) -> Self {
        let brush = |scale| Brush {
            render: capabilities.render,
            scale,
            colors: capabilities.colors,
        };
        let cells = |scale| brush(scale).cells(width, height);
        let asked = options.columns.map(|columns| usize::from(columns).max(1));
        let space = match asked {
            Some(_) if !capabilities.is_terminal => u16::MAX,
            _ => capabilities.size.width,
        };
        let fit = |scale| fitting(space, cells(scale).width).max(1);

        let count = usize::try_from(options.count).unwrap_or(usize::MAX);
        let enough = asked.unwrap_or(WORTH_FULL_SCALE).min(count);
        let scale = options.scale.unwrap_or(if fit(Scale::Full) >= enough {
            Scale::Full
        } else {
            Scale::Half
        });
        // Without a wish, rows are as many as they must be and of like length.
        let most = fit(scale);
        let even = || count.div_ceil(count.div_ceil(most).max(1));
        let columns = asked.unwrap_or_else(even).clamp(1, most);
        let each = cells(scale);
        let row = columns * (usize::from(each.width) + 1) - 1;
        Self {
            brush: brush(scale),
            each,
            columns,
            width: u16::try_from(row).unwrap_or(u16::MAX).min(space),
        }
    }

    fn empty_row(&self) -> Buffer {
        Buffer::empty(Rect::new(0, 0, self.width, self.each.height))
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

impl<'a, W: Write> Scrollback<'a, W> {
    /// Prints to an output that can show this much.
    pub fn new(to: W, capabilities: Capabilities, options: &'a Options) -> Self {
        Self {
            to,
            capabilities,
            options,
            layout: None,
            put: 0,
            row: Buffer::default(),
        }
    }

    /// Adds pictures and prints the rows that they fill; the last row need not be full.
    pub fn put(&mut self, pictures: &Pictures) -> io::Result<()> {
        for index in 0..pictures.count as usize {
            let Some(picture) = Picture::of(pictures, index) else {
                break;
            };
            let size = (picture.width(), picture.height());
            let layout = *self
                .layout
                .get_or_insert_with(|| Layout::new(self.capabilities, self.options, size));
            let column = usize::try_from(self.put % layout.columns as u64).unwrap_or(0);
            if column == 0 {
                self.row = layout.empty_row();
            }
            picture
                .drawn(layout.brush)
                .render(layout.place(column), &mut self.row);
            self.put += 1;
            if column + 1 == layout.columns || self.put == self.options.count {
                self.print_row(self.put <= layout.columns as u64)?;
            }
        }
        Ok(())
    }

    fn print_row(&mut self, first: bool) -> io::Result<()> {
        let text = to_text(&self.row, self.capabilities.colors);
        let gap = if first { "" } else { "\n" };
        write!(self.to, "{gap}{text}")?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::options;
    use super::*;
    use crate::sample::replies::tests::pictures;
    use crate::terminal::{Colors, Render};

    fn terminal(width: u16) -> Capabilities {
        Capabilities {
            is_terminal: true,
            colors: Colors::True,
            unicode: true,
            render: Render::Half,
            size: Size::new(width, 24),
        }
    }

    fn pipe() -> Capabilities {
        Capabilities {
            is_terminal: false,
            colors: Colors::None,
            render: Render::Ascii,
            ..terminal(80)
        }
    }

    fn layout(of: Capabilities, options: &Options) -> (Scale, usize, u16) {
        let layout = Layout::new(of, options, (28, 28));
        (layout.brush.scale, layout.columns, layout.width)
    }

    #[test]
    fn digits_are_at_full_scale_where_four_fit_beside_each_other() {
        let options = options(16);
        assert_eq!(layout(terminal(115), &options), (Scale::Full, 4, 115));
        assert_eq!(layout(terminal(114), &options), (Scale::Half, 6, 89));
        assert_eq!(layout(terminal(80), &options), (Scale::Half, 4, 59));
        assert_eq!(layout(terminal(200), &options), (Scale::Full, 6, 173));
    }

    #[test]
    fn fewer_pictures_or_columns_are_at_full_scale_on_a_narrow_terminal() {
        let mut options = options(2);
        assert_eq!(layout(terminal(80), &options), (Scale::Full, 2, 57));
        options.count = 16;
        options.columns = Some(2);
        assert_eq!(layout(terminal(80), &options), (Scale::Full, 2, 57));
        options.scale = Some(Scale::Half);
        assert_eq!(layout(terminal(80), &options), (Scale::Half, 2, 29));
    }

    #[test]
    fn too_many_columns_are_cut_for_a_terminal_but_not_for_a_pipe() {
        let mut options = options(100);
        options.columns = Some(20);
        assert_eq!(layout(terminal(80), &options), (Scale::Half, 5, 74));
        assert_eq!(layout(pipe(), &options), (Scale::Full, 20, 579));
        options.columns = Some(u16::MAX);
        assert_eq!(layout(pipe(), &options), (Scale::Full, 2259, 65510));
    }

    #[test]
    fn a_picture_wider_than_the_terminal_is_cut_off() {
        assert_eq!(layout(terminal(10), &options(3)), (Scale::Half, 1, 10));
    }

    #[test]
    fn a_row_is_printed_as_soon_as_it_is_full() {
        let mut options = options(5);
        options.columns = Some(3);
        let mut text = Vec::new();
        let mut scrollback = Scrollback::new(&mut text, pipe(), &options);
        let mut of = |first, count| {
            let mut batch = pictures(first, count);
            batch
                .pixels
                .iter_mut()
                .for_each(|pixel| *pixel = pixel.saturating_mul(13));
            scrollback.put(&batch).unwrap();
            String::from_utf8(std::mem::take(scrollback.to)).unwrap()
        };
        assert_eq!(of(0, 2), "");
        assert_eq!(of(8, 2), " . :- =+\n");
        assert_eq!(of(16, 1), "\n*# %@\n");
    }
}
