//! Draws pictures in cells. A cell is about twice as high as wide, so pixels are square in each way of drawing here.
//!
//! Where the terminal shows pixels of its own, the cells of a picture are only marked; [`super::graphics`] fills them.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use sparring_contract::protocol::Pictures;

use super::colors::luma;
use super::{Colors, Placed};

/// What one cell shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Render {
    /// Two pixels in colour, one above the other: 28×28 pixels take 28×14 cells.
    #[default]
    Half,
    /// 2×4 dots, each on or off: 28×28 pixels take 14×7 cells.
    Braille,
    /// A character as bright as the mean of two pixels, one above the other: 28×28 pixels take 28×14 cells.
    Ascii,
    /// The terminal's own pixels, of which a cell has so many, across and down. A picture takes about the cells that half
    /// blocks would, and every pixel of it is shown, as a square.
    Pixels((u16, u16)),
}

/// How large a picture is drawn. A smaller scale draws the mean of each square of pixels as one pixel, so pictures are
/// never distorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Every pixel.
    #[default]
    Full,
    /// The mean of 2×2 pixels.
    Half,
    /// The mean of 3×3 pixels.
    Third,
    /// The mean of 4×4 pixels.
    Quarter,
    /// Every pixel as a square of so many of the terminal's own pixels.
    Times(u16),
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brush {
    /// What one cell shows.
    pub render: Render,
    /// How large.
    pub scale: Scale,
    /// In how many colours; only half blocks have any.
    pub colors: Colors,
}

/// A grey or RGB picture.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pixels: &'a [u8],
    channels: usize,
    height: usize,
    width: usize,
    /// Which one of a message's it is.
    placed: Option<Placed>,
}

/// A picture and how to draw it: a widget that starts at the top left of its area and is cut off at the area's end.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'a> {
    picture: Picture<'a>,
    brush: Brush,
    /// Where there are no greys, pixels this bright count as white.
    threshold: u8,
}

/// Characters from black to white.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// The threshold between black and white for grey pictures. At these sizes dithering would break up strokes that a plain
/// threshold keeps.
const THRESHOLD: u8 = 112;

/// A scale is not chosen if it leaves a picture fewer pixels than this on its shorter side: nobody could tell what it
/// shows.
const LEAST_SIDE: usize = 12;

impl Render {
    /// The pixels that a scale draws in one cell, across and down.
    fn pixels(self) -> (usize, usize) {
        match self {
            Self::Half | Self::Ascii => (1, 2),
            Self::Braille => (2, 4),
            Self::Pixels((width, height)) => (width.max(1).into(), height.max(1).into()),
        }
    }
}

impl Scale {
    /// The scales to choose from for a picture of this many pixels, largest first; at least one. In the terminal's own
    /// pixels, full scale is as large as that of half blocks.
    pub fn choices(render: Render, width: usize, height: usize) -> impl Iterator<Item = Self> {
        let choices: Vec<_> = match render {
            Render::Pixels((across, _)) => {
                let least = (across / 4).max(1);
                (least..=across.max(1)).rev().map(Self::Times).collect()
            }
            Render::Half | Render::Braille | Render::Ascii => {
                let shorter = width.min(height);
                let shows = |scale: &Self| {
                    *scale == Self::Full || shorter.div_ceil(scale.factor()) >= LEAST_SIDE
                };
                let parts = [Self::Full, Self::Half, Self::Third, Self::Quarter];
                parts.into_iter().filter(shows).collect()
            }
        };
        choices.into_iter()
    }

    /// The scale in words; `None` if every pixel is shown.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Full | Self::Times(_) => None,
            Self::Half => Some("half scale"),
            Self::Third => Some("a third of full scale"),
            Self::Quarter => Some("a quarter of full scale"),
        }
    }

    /// The side, in pixels, of the square that is drawn as one pixel.
    fn factor(self) -> usize {
        match self {
            Self::Full | Self::Times(_) => 1,
            Self::Half => 2,
            Self::Third => 3,
            Self::Quarter => 4,
        }
    }
}

impl Brush {
    /// The cells that a picture of this many pixels takes.
    pub fn cells(self, width: usize, height: usize) -> Size {
        let (across, down) = self.render.pixels();
        let factor = self.scale.factor();
        let cells = |pixels: usize, each: usize| {
            let drawn = match (self.render, self.scale) {
                (Render::Pixels(_), Scale::Times(times)) => pixels.saturating_mul(times.into()),
                // As large as in half blocks, or nearly.
                (Render::Pixels(_), _) => pixels.saturating_mul((across / factor).max(1)),
                (Render::Half | Render::Braille | Render::Ascii, _) => pixels.div_ceil(factor),
            };
            u16::try_from(drawn.div_ceil(each)).unwrap_or(u16::MAX)
        };
        Size::new(cells(width, across), cells(height, down))
    }
}

impl<'a> Picture<'a> {
    /// A picture from its bytes, `[channels, height, width]`, 0 black to 255 white, with 1 channel for grey or 3 for RGB.
    /// `None` if the number of bytes does not match or is zero.
    pub fn new(pixels: &'a [u8], channels: usize, height: usize, width: usize) -> Option<Self> {
        let size = channels.checked_mul(height)?.checked_mul(width)?;
        (size > 0 && size == pixels.len() && matches!(channels, 1 | 3)).then_some(Self {
            pixels,
            channels,
            height,
            width,
            placed: None,
        })
    }

    /// One of the pictures of a message; `None` if there is no such picture or the message is malformed.
    pub fn of(pictures: &'a Pictures, index: usize) -> Option<Self> {
        if !pictures.is_whole() || index >= pictures.count as usize {
            return None;
        }
        let side = |pixels| usize::try_from(pixels).ok();
        let picture = Self::new(
            pictures.picture(index)?,
            side(pictures.channels)?,
            side(pictures.height)?,
            side(pictures.width)?,
        )?;
        Some(Self {
            placed: Placed::new(pictures.purpose, index),
            ..picture
        })
    }

    /// Its bytes, as they came.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.pixels
    }

    /// 1 for grey, 3 for RGB.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The picture as a widget.
    pub fn drawn(self, brush: Brush) -> Drawing<'a> {
        Drawing {
            threshold: self.threshold(),
            picture: self,
            brush,
        }
    }

    /// The threshold between black and white. A picture in colour gets its mean luma: a red heart on black is as dark as
    /// the background of another picture.
    fn threshold(&self) -> u8 {
        if self.channels == 1 {
            return THRESHOLD;
        }
        let plane = self.height * self.width;
        let sum: usize = (0..plane)
            .map(|index| usize::from(luma(self.pixel(index))))
            .sum();
        // Not so low that the dark grain of a black picture shows.
        u8::try_from(sum / plane).unwrap_or(u8::MAX).max(16)
    }

    /// The colour of a pixel by its place among all, row by row. A grey one has it in each part.
    pub(super) fn pixel(&self, index: usize) -> [u8; 3] {
        let plane = self.height * self.width;
        [0, 1, 2].map(|channel: usize| {
            let plane_start = channel.min(self.channels - 1) * plane;
            let value = self.pixels.get(plane_start + index);
            value.copied().unwrap_or_default()
        })
    }

    /// The mean colour of one square of `factor`×`factor` pixels, by its column and row among the squares. A square at the
    /// edge counts the pixels it has; beyond the edge there is `None`.
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
            .is_some_and(|rgb| luma(rgb) >= self.threshold)
    }

    /// The character and style of the cell in this column and row of the picture.
    fn cell(&self, x: usize, y: usize) -> (char, Style) {
        match self.brush.render {
            Render::Half if self.brush.colors == Colors::None => {
                (self.bare_halves(x, y), Style::new())
            }
            Render::Half => self.halves(x, y),
            Render::Braille => (self.dots(x, y), Style::new()),
            Render::Ascii => (self.glyph(x, y), Style::new()),
            Render::Pixels(_) => (' ', Style::new()),
        }
    }

    fn halves(&self, x: usize, y: usize) -> (char, Style) {
        let colour = |row| self.pixel(x, row).map(|rgb| self.brush.colors.nearest(rgb));
        match (colour(2 * y), colour(2 * y + 1)) {
            (Some(upper), Some(lower)) if upper != lower => ('▀', Style::new().fg(upper).bg(lower)),
            // A space takes fewer bytes than a block, and much of a picture is background.
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
        // The bit of each dot, row by row (Unicode, block Braille Patterns).
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
        let lights = pair.into_iter().flatten().map(|rgb| usize::from(luma(rgb)));
        let count = lights.clone().count().max(1);
        let light = lights.sum::<usize>() / count;
        RAMP.get(light * RAMP.len() / 256).copied().unwrap_or(' ')
    }
}

impl Widget for Drawing<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let size = self.size();
        let placed = match self.brush.render {
            Render::Pixels(_) => self.picture.placed,
            Render::Half | Render::Braille | Render::Ascii => None,
        };
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
                if let Some(placed) = placed {
                    placed.mark(cell, size);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
