//! Pictures in pixels, by the protocols of kitty, of iTerm2 and of sixels.
//!
//! - kitty: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>
//! - iTerm2: <https://iterm2.com/documentation-images.html>
//! - sixels: <https://vt100.net/docs/vt3xx-gp/chapter14.html>

mod raster;
mod sixel;
mod wall;

use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use ratatui::layout::Size;

use super::{Environment, Picture};

pub use raster::Raster;
pub use wall::Wall;

/// How a terminal takes pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// PNG files in pieces, as kitty and Ghostty take them.
    Kitty,
    /// PNG files, as iTerm2 and `WezTerm` take them.
    Iterm,
    /// Columns of six pixels in up to 256 colours.
    Sixel,
}

/// How pixels get to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graphics {
    /// By which protocol.
    pub protocol: Protocol,
    /// Pixels of a cell, across and down.
    pub cell: (u16, u16),
}

/// The most bytes of a picture in one piece of kitty's protocol.
const PIECE: usize = 4096;

/// Cells that cannot be: fewer pixels would show no letters, and more are a mistake.
const CELLS: std::ops::RangeInclusive<u16> = 4..=128;

impl Protocol {
    /// What tells that the terminal knows it.
    pub(super) fn told(self) -> String {
        match self {
            Self::Kitty => "the terminal takes pictures by kitty's protocol",
            Self::Iterm => "the terminal takes pictures by iTerm2's protocol",
            Self::Sixel => "the terminal takes sixels",
        }
        .to_owned()
    }

    /// Its name, as `--render` knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Iterm => "iterm",
            Self::Sixel => "sixel",
        }
    }
}

impl Graphics {
    /// How pixels get to the terminal of an environment, by the best protocol or the one that the user wants; or why they
    /// do not.
    pub fn of(environment: &Environment, wanted: Option<Protocol>) -> Result<Self, String> {
        if !environment.can_be_asked() {
            return Err("the output takes no pictures".to_owned());
        }
        let answers = &environment.answers;
        let name = answers.name.as_deref().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let is_iterm = ["iterm2", "wezterm"]
            .iter()
            .any(|known| name.starts_with(known));
        // Konsole answers kitty's question with yes and leaves pictures behind where text was drawn over them.
        let is_kitty = answers.kitty && !name.starts_with("konsole");
        let protocol = match wanted {
            Some(Protocol::Kitty | Protocol::Iterm) | None
                if environment.is_multiplexed() && !answers.sixel =>
            {
                return Err(
                    "tmux passes pictures on only as sixels: since tmux 3.4, where it is built with them and has `set -as \
                     terminal-features ',*:sixel'`"
                        .to_owned(),
                );
            }
            Some(protocol) => protocol,
            None if is_iterm => Protocol::Iterm,
            None if is_kitty => Protocol::Kitty,
            None if answers.sixel => Protocol::Sixel,
            None => return Err("the terminal takes no pictures".to_owned()),
        };
        let cell = answers.cell.or(environment.cell);
        cell.filter(|(width, height)| CELLS.contains(width) && CELLS.contains(height))
            .map(|cell| Self { protocol, cell })
            .ok_or_else(|| "the terminal does not say how large its cells are".to_owned())
    }

    /// How many times a picture can be enlarged in so many cells.
    pub fn times(self, cells: Size, picture: &Picture<'_>) -> usize {
        let (width, height) = self.cell;
        let across = usize::from(cells.width) * usize::from(width) / picture.width().max(1);
        let down = usize::from(cells.height) * usize::from(height) / picture.height().max(1);
        across.min(down).max(1)
    }

    /// Appends what draws a picture with its top left corner at the cursor. `id`: the picture takes the place of that one,
    /// where the protocol names pictures.
    pub fn draw(self, id: Option<u32>, raster: &Raster, text: &mut String) {
        match self.protocol {
            Protocol::Kitty => {
                let id = id.map(|id| format!(",i={id},p=1")).unwrap_or_default();
                let control = format!("a=T,f=100,C=1,q=2{id}");
                kitty(&control, &Base64::encode_string(&raster.png()), text);
            }
            Protocol::Iterm => {
                let png = raster.png();
                let _ = write!(
                    text,
                    "\x1b]1337;File=inline=1;size={};width={}px;height={}px;preserveAspectRatio=0;doNotMoveCursor=1:{}\x07",
                    png.len(),
                    raster.width,
                    raster.height,
                    Base64::encode_string(&png)
                );
            }
            Protocol::Sixel => {
                text.push_str("\x1b7");
                sixel::encode(raster, text);
                text.push_str("\x1b8");
            }
        }
    }

    /// Appends what takes a picture away. By the other protocols, text that is drawn over a picture does that.
    pub fn erase(self, id: u32, text: &mut String) {
        if self.protocol == Protocol::Kitty {
            let _ = write!(text, "\x1b_Ga=d,d=I,i={id},q=2\x1b\\");
        }
    }

    /// Appends what takes all pictures of the screen away.
    pub fn erase_all(self, text: &mut String) {
        if self.protocol == Protocol::Kitty {
            text.push_str("\x1b_Ga=d,d=A,q=2\x1b\\");
        }
    }
}

/// Appends a picture in pieces, as kitty takes it.
fn kitty(control: &str, data: &str, text: &mut String) {
    let mut rest = data;
    let mut control = control;
    loop {
        let (piece, after) = rest.split_at(rest.len().min(PIECE));
        let more = u8::from(!after.is_empty());
        let _ = write!(text, "\x1b_G{control},m={more};{piece}\x1b\\");
        if after.is_empty() {
            return;
        }
        (rest, control) = (after, "q=2");
    }
}

#[cfg(test)]
mod tests;
