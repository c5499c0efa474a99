//! How pictures are shown.

use std::io;

use crate::terminal::{Capabilities, ColorChoice, Environment, Render, Scale};

/// How pictures are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Pictures in a row; as many as fit, or a square in a PNG, if not given.
    pub columns: Option<u16>,
    /// The flag `--color`.
    pub color: ColorChoice,
    /// The flag `--render`; `None` is `auto`.
    pub render: Option<Render>,
    /// How large pictures are shown; the largest scale that fits if not given.
    pub scale: Option<Scale>,
    /// Whether to leave out the names of classes under pictures.
    pub no_labels: bool,
}

impl Look {
    /// What stdout can show, as far as the flags leave it to the terminal.
    pub(super) fn capabilities(self, stdout: &io::Stdout) -> Capabilities {
        Capabilities::new(&Environment::of(stdout), self.color, self.render)
    }
}
