//! What a terminal can show, judged by flags, the environment, and what the terminal has told about itself.

use ratatui::layout::Size;

use super::graphics::Graphics;
use super::{Colors, Environment, Protocol, Render};

/// The flag `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment says.
    #[default]
    Auto,
    /// Even into a pipe and under `NO_COLOR`.
    Always,
    /// No colours, and no other escape sequences either.
    Never,
}

/// The flag `--render`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenderChoice {
    /// The best that the terminal can show.
    #[default]
    Auto,
    /// Half blocks.
    Half,
    /// Braille.
    Braille,
    /// Characters of growing brightness.
    Ascii,
    /// Pixels, by a protocol that the terminal must know.
    Pixels(Protocol),
}

/// What an output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// How many colours it has.
    pub colors: Colors,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    /// How pictures are drawn on it.
    pub render: Render,
    /// How pixels get there, if pictures are drawn in pixels.
    pub graphics: Option<Graphics>,
    /// Its size in cells, at least 1×1; 80×24 if unknown.
    pub size: Size,
}

/// What decided about an output's capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// About its colours, such as `COLORTERM=truecolor`.
    pub colors: String,
    /// About Unicode, such as `LANG=C.UTF-8`.
    pub unicode: String,
    /// About how pictures are drawn.
    pub pictures: String,
}

impl Capabilities {
    /// What an output can show in an environment, under the flags `--color` and `--render`.
    ///
    /// A user who asks for half blocks or braille must have a terminal that shows Unicode; one who asks for ASCII gets
    /// nothing else.
    pub fn new(environment: &Environment, color: ColorChoice, render: RenderChoice) -> Self {
        let colors = match color {
            ColorChoice::Always => environment.promised_colors().0.max(Colors::Ansi16),
            ColorChoice::Auto if !is_colorless(environment) => environment.promised_colors().0,
            ColorChoice::Auto | ColorChoice::Never => Colors::None,
        };
        let unicode = match render {
            RenderChoice::Half | RenderChoice::Braille => true,
            RenderChoice::Ascii => false,
            RenderChoice::Auto | RenderChoice::Pixels(_) => environment.unicode().0,
        };
        let graphics = match render {
            _ if colors == Colors::None => None,
            RenderChoice::Auto => Graphics::of(environment, None).ok(),
            RenderChoice::Pixels(protocol) => Graphics::of(environment, Some(protocol)).ok(),
            RenderChoice::Half | RenderChoice::Braille | RenderChoice::Ascii => None,
        };
        Self {
            is_terminal: environment.is_terminal,
            colors,
            unicode,
            render: match render {
                RenderChoice::Half => Render::Half,
                RenderChoice::Braille => Render::Braille,
                RenderChoice::Ascii => Render::Ascii,
                RenderChoice::Auto | RenderChoice::Pixels(_) => {
                    let in_cells = in_cells(unicode, colors);
                    graphics.map_or(in_cells, |graphics| Render::Pixels(graphics.cell))
                }
            },
            graphics,
            size: environment.size(),
        }
    }

    /// The same without pixels of the terminal's own.
    #[must_use]
    pub fn without_graphics(self) -> Self {
        match self.graphics {
            None => self,
            Some(_) => Self {
                render: in_cells(self.unicode, self.colors),
                graphics: None,
                ..self
            },
        }
    }

    /// Why pictures are not drawn as `--render` wants it, in a few words; `None` if they are.
    pub fn refusal(
        environment: &Environment,
        color: ColorChoice,
        render: RenderChoice,
    ) -> Option<String> {
        let found = Self::new(environment, color, render);
        match render {
            RenderChoice::Pixels(protocol) if found.graphics.is_none() => Some(format!(
                "no pictures by --render {}: {}",
                protocol.name(),
                Self::reasons(environment, color, render).pictures
            )),
            _ => None,
        }
    }

    /// What decided, each in a few words.
    pub fn reasons(environment: &Environment, color: ColorChoice, render: RenderChoice) -> Reasons {
        let colors = match color {
            ColorChoice::Never => "--color never".to_owned(),
            ColorChoice::Auto if !environment.is_terminal => "no terminal".to_owned(),
            ColorChoice::Auto if environment.is_dumb() => environment.told("TERM"),
            ColorChoice::Auto if !environment.variable("NO_COLOR").is_empty() => {
                environment.told("NO_COLOR")
            }
            _ => environment.promised_colors().1,
        };
        let unicode = match render {
            RenderChoice::Auto | RenderChoice::Pixels(_) => environment.unicode().1,
            _ => "--render".to_owned(),
        };
        let asked_for = match render {
            RenderChoice::Pixels(protocol) => Some(protocol),
            _ => None,
        };
        let pictures = match render {
            RenderChoice::Auto | RenderChoice::Pixels(_) => {
                if color == ColorChoice::Never || is_colorless(environment) {
                    colors.clone()
                } else {
                    let graphics = Graphics::of(environment, asked_for);
                    graphics.map_or_else(|why_not| why_not, |graphics| graphics.protocol.told())
                }
            }
            _ => "--render".to_owned(),
        };
        Reasons {
            colors,
            unicode,
            pictures,
        }
    }

    /// Makes crossterm, and with it ratatui's backend, use the colours decided on here. Otherwise it checks `NO_COLOR`
    /// itself and drops colours even under `--color always`.
    pub fn impose_on_crossterm(&self) {
        crossterm::style::force_color_output(self.colors != Colors::None);
    }
}

/// The best way to draw pictures in cells.
fn in_cells(unicode: bool, colors: Colors) -> Render {
    match (unicode, colors) {
        (false, _) => Render::Ascii,
        (true, Colors::None) => Render::Braille,
        (true, _) => Render::Half,
    }
}

/// Whether an output should get no colours unless the user insists.
fn is_colorless(environment: &Environment) -> bool {
    !environment.is_terminal
        || environment.is_dumb()
        || !environment.variable("NO_COLOR").is_empty()
}

#[cfg(test)]
mod tests;
