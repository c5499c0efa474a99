//! Marks the cells in which a picture in pixels is shown.

use ratatui::buffer::Cell;
use ratatui::layout::Size;
use ratatui::style::Color;
use sparring_contract::protocol::Purpose;

/// What a cell holds that belongs to a picture: a character of private use that no text has.
const MARK: &str = "\u{10fffd}";

/// A picture by the purpose of the message that it came with, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    source: u8,
    index: u16,
}

impl Placed {
    /// A picture of a message that shows pictures of a purpose. `None` if its number is too high to be marked.
    pub fn new(purpose: Purpose, index: usize) -> Option<Self> {
        Some(Self {
            source: purpose as u8,
            index: u16::try_from(index).ok()?,
        })
    }

    /// Whether it is one of those of this purpose.
    pub fn is_of(self, purpose: Purpose) -> bool {
        self.source == purpose as u8
    }

    /// Marks a cell as one of this picture's, which takes so many.
    pub fn mark(self, cell: &mut Cell, size: Size) {
        let [high, low] = self.index.to_be_bytes();
        cell.reset();
        cell.set_symbol(MARK);
        cell.fg = Color::Rgb(self.source, high, low);
        cell.bg = Color::Rgb(capped(size.width), capped(size.height), 0);
    }

    /// Its place in the message.
    pub fn index(self) -> usize {
        self.index.into()
    }

    /// The picture that a cell belongs to, and how many cells it takes.
    pub fn of(cell: &Cell) -> Option<(Self, Size)> {
        match (cell.symbol(), cell.fg, cell.bg) {
            (MARK, Color::Rgb(source, high, low), Color::Rgb(width, height, _)) => {
                let placed = Self {
                    source,
                    index: u16::from_be_bytes([high, low]),
                };
                Some((placed, Size::new(width.into(), height.into())))
            }
            _ => None,
        }
    }
}

/// A side in cells. One that is larger than any screen on which it would be shown whole is never found whole.
fn capped(side: u16) -> u8 {
    u8::try_from(side).unwrap_or(u8::MAX)
}

/// Whether a cell belongs to a picture, and so shows as a blank until the picture is drawn over it.
pub(super) fn is_marked(cell: &Cell) -> bool {
    cell.symbol() == MARK
}
