//! What stdout can show.

use serde::Serialize;

use crate::terminal::{
    Capabilities, ColorChoice, Colors, Environment, Reasons, Render, RenderChoice,
};

/// What stdout can show, and what told so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TerminalFacts {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Cells across.
    pub columns: u16,
    /// Cells down.
    pub rows: u16,
    /// Number of colours, at most 16,777,216; 0 without any.
    pub colors: u32,
    /// What told so.
    pub colors_because: String,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    /// What told so.
    pub unicode_because: String,
    /// How pictures are drawn: `half` blocks, `braille`, `ascii`, or pixels by `kitty`, `iterm` or `sixel`.
    pub pictures: &'static str,
    /// What told so, or why they are not drawn in pixels.
    pub pictures_because: String,
}

impl TerminalFacts {
    /// What an output with this environment can show.
    pub fn of(environment: &Environment) -> Self {
        let (color, render) = (ColorChoice::Auto, RenderChoice::Auto);
        let found = Capabilities::new(environment, color, render);
        let Reasons {
            colors,
            unicode,
            pictures,
        } = Capabilities::reasons(environment, color, render);
        Self {
            is_terminal: found.is_terminal,
            columns: found.size.width,
            rows: found.size.height,
            colors: match found.colors {
                Colors::None => 0,
                Colors::Ansi16 => 16,
                Colors::Ansi256 => 256,
                Colors::True => 1 << 24,
            },
            colors_because: colors,
            unicode: found.unicode,
            unicode_because: unicode,
            pictures: match (found.graphics, found.render) {
                (Some(graphics), _) => graphics.protocol.name(),
                (None, Render::Braille) => "braille",
                (None, Render::Ascii) => "ascii",
                (None, Render::Half | Render::Pixels(_)) => "half",
            },
            pictures_because: pictures,
        }
    }
}
