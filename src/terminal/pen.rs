//! Escape sequences for styles, written where a style changes.

use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The attributes in use and their SGR numbers (ECMA-48, 8.3.117).
const ATTRIBUTES: [(Modifier, u8); 7] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// Attributes that show even on a blank.
pub(super) const SEEN_ON_BLANKS: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

/// The style that the terminal has now.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pen {
    foreground: Color,
    background: Color,
    attributes: Modifier,
}

impl Pen {
    /// Writes the escape sequence that changes to a cell's style.
    pub(super) fn take_up(&mut self, cell: &Cell, text: &mut String) {
        let seen = cell.symbol() != " " || cell.modifier.intersects(SEEN_ON_BLANKS);
        let next = Self {
            foreground: if seen { cell.fg } else { self.foreground },
            background: cell.bg,
            attributes: cell.modifier,
        };
        if next == *self {
            return;
        }
        let mut codes = Vec::new();
        if !next.attributes.contains(self.attributes) {
            codes.push("0".to_owned());
            *self = Self::default();
        }
        for (attribute, code) in ATTRIBUTES {
            if (next.attributes - self.attributes).contains(attribute) {
                codes.push(code.to_string());
            }
        }
        if next.foreground != self.foreground {
            codes.push(code(next.foreground, 30));
        }
        if next.background != self.background {
            codes.push(code(next.background, 40));
        }
        *self = next;
        if !codes.is_empty() {
            let _ = write!(text, "\x1b[{}m", codes.join(";"));
        }
    }

    /// Resets the style.
    pub(super) fn lay_down(self, text: &mut String) {
        if self != Self::default() {
            text.push_str("\x1b[0m");
        }
    }
}

/// The SGR numbers of a colour; `base` is 30 for the foreground and 40 for the background.
fn code(color: Color, base: u8) -> String {
    let bright = |number: u8| (base + 60 + number).to_string();
    let plain = |number: u8| (base + number).to_string();
    match color {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
    }
}
