//! Pictures in cells. A cell is about twice as high as wide, so each way of drawing here has square pixels.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use sparring_contract::protocol::Pictures;

use super::Colors;
use super::colors::luminance;

/// What a cell is made to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Render {
    /// Two pixels in colour, one above the other: 28×28 pixels are 28×14 cells.
    #[default]
    Half,
    /// 2×4 dots that are there or not: 28×28 pixels are 14×7 cells.
    Braille,
    /// The mean of two pixels, one above the other, as a glyph of like weight: 28×28 pixels are 28×14 cells.
    Ascii,
}

/// How large a picture is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Each pixel.
    #[default]
    Full,
    /// The mean of each 2×2 pixels as one.
    Half,
}

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brush {
    /// What a cell is made to show.
    pub render: Render,
    /// How large.
    pub scale: Scale,
    /// In which colours; only half blocks have any.
    pub colors: Colors,
}

/// A picture to look at.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pixels: &'a [u8],
    channels: usize,
    height: usize,
    width: usize,
}

/// A picture and how it is drawn: a widget that begins at the top left of its area and is cut off where that ends.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'a> {
    picture: Picture<'a>,
    brush: Brush,
}

/// Glyphs from black to white.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// From here on a pixel without grey levels counts as white. A plain threshold keeps strokes that dithering would
/// tear at this size.
const THRESHOLD: u8 = 112;

impl Render {
    /// The pixels that a cell shows, across and down.
    fn pixels(self) -> (usize, usize) {
        match self {
            Self::Half | Self::Ascii => (1, 2),
            Self::Braille => (2, 4),
        }
    }
}

impl Scale {
    /// The side of the square of pixels that is drawn as one.
    fn factor(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Half => 2,
        }
    }
}

impl Brush {
    /// The cells that a picture of so many pixels takes.
    pub fn cells(self, width: usize, height: usize) -> Size {
        let (across, down) = self.render.pixels();
        let factor = self.scale.factor();
        let cells = |pixels: usize, each: usize| {
            u16::try_from(pixels.div_ceil(factor).div_ceil(each)).unwrap_or(u16::MAX)
        };
        Size::new(cells(width, across), cells(height, down))
    }
}

impl<'a> Picture<'a> {
    /// A picture of `[channels, height, width]` bytes, 0 black to 255 white, with 1 channel for grey or 3 for RGB.
    /// `None` if the bytes are not as many or there is no pixel.
    pub fn new(pixels: &'a [u8], channels: usize, height: usize, width: usize) -> Option<Self> {
        let size = channels.checked_mul(height)?.checked_mul(width)?;
        (size > 0 && size == pixels.len() && matches!(channels, 1 | 3)).then_some(Self {
            pixels,
            channels,
            height,
            width,
        })
    }

    /// One of the pictures that a worker sent; `None` if there are fewer or they are malformed.
    pub fn of(pictures: &'a Pictures, index: usize) -> Option<Self> {
        if !pictures.is_whole() || index >= pictures.count as usize {
            return None;
        }
        let side = |pixels| usize::try_from(pixels).ok();
        Self::new(
            pictures.picture(index)?,
            side(pictures.channels)?,
            side(pictures.height)?,
            side(pictures.width)?,
        )
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// This picture as a widget.
    pub fn drawn(self, brush: Brush) -> Drawing<'a> {
        Drawing {
            picture: self,
            brush,
        }
    }

    /// The mean colour of the square of `factor`×`factor` pixels in this column and row of squares, as far as the
    /// picture reaches; `None` beyond it.
    fn mean(&self, column: usize, row: usize, factor: usize) -> Option<[u8; 3]> {
        let (left, top) = (column * factor, row * factor);
        if left >= self.width || top >= self.height {
            return None;
        }
        let (right, bottom) = (
            (left + factor).min(self.width),
            (top + factor).min(self.height),
        );
        let count = (right - left) * (bottom - top);
        let channel = |channel: usize| {
            let plane = channel * self.height * self.width;
            let sum: usize = (top..bottom)
                .flat_map(|y| {
                    let line = plane + y * self.width;
                    self.pixels
                        .get(line + left..line + right)
                        .unwrap_or_default()
                })
                .map(|pixel| usize::from(*pixel))
                .sum();
            u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
        };
        let red = channel(0);
        Some(if self.channels == 3 {
            [red, channel(1), channel(2)]
        } else {
            [red; 3]
        })
    }
}

impl Drawing<'_> {
    /// The cells it takes.
    pub fn size(&self) -> Size {
        self.brush.cells(self.picture.width, self.picture.height)
    }

    fn pixel(&self, column: usize, row: usize) -> Option<[u8; 3]> {
        self.picture.mean(column, row, self.brush.scale.factor())
    }

    fn is_light(&self, column: usize, row: usize) -> bool {
        self.pixel(column, row)
            .is_some_and(|rgb| luminance(rgb) >= THRESHOLD)
    }

    /// What the cell in this column and row of the picture shows.
    fn cell(&self, x: usize, y: usize) -> (char, Style) {
        match self.brush.render {
            Render::Half if self.brush.colors == Colors::None => {
                (self.bare_halves(x, y), Style::new())
            }
            Render::Half => self.halves(x, y),
            Render::Braille => (self.dots(x, y), Style::new()),
            Render::Ascii => (self.glyph(x, y), Style::new()),
        }
    }

    fn halves(&self, x: usize, y: usize) -> (char, Style) {
        let colour = |row| self.pixel(x, row).map(|rgb| self.brush.colors.nearest(rgb));
        match (colour(2 * y), colour(2 * y + 1)) {
            (Some(upper), Some(lower)) if upper != lower => ('▀', Style::new().fg(upper).bg(lower)),
            // A blank of one colour is fewer bytes than a block of two, and most of a digit is blank.
            (Some(both), Some(_)) => (' ', Style::new().bg(both)),
            (Some(upper), None) => ('▀', Style::new().fg(upper)),
            (None, _) => (' ', Style::new()),
        }
    }

    fn bare_halves(&self, x: usize, y: usize) -> char {
        match (self.is_light(x, 2 * y), self.is_light(x, 2 * y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }
    }

    fn dots(&self, x: usize, y: usize) -> char {
        // The bits of the dots of a braille cell, row by row (Unicode, «Braille Patterns»).
        const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let mut dots = 0;
        for (down, row) in BITS.iter().enumerate() {
            for (across, bit) in row.iter().enumerate() {
                if self.is_light(2 * x + across, 4 * y + down) {
                    dots |= bit;
                }
            }
        }
        match dots {
            0 => ' ',
            dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
        }
    }

    fn glyph(&self, x: usize, y: usize) -> char {
        let pair = [self.pixel(x, 2 * y), self.pixel(x, 2 * y + 1)];
        let lights = pair
            .into_iter()
            .flatten()
            .map(|rgb| usize::from(luminance(rgb)));
        let count = lights.clone().count().max(1);
        let light = lights.sum::<usize>() / count;
        RAMP.get(light * RAMP.len() / 256).copied().unwrap_or(' ')
    }
}

impl Widget for Drawing<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let size = self.size();
        let whole = Rect {
            width: size.width.min(area.width),
            height: size.height.min(area.height),
            ..area
        };
        for Position { x, y } in whole.intersection(buffer.area).positions() {
            let (glyph, style) = self.cell(usize::from(x - area.x), usize::from(y - area.y));
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_char(glyph).set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests;
